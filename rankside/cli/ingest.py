"""`rankside ingest`: files into an index, with document vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ingest.bulk import BULK_BYTES
from ingest.documents import ID_FIELDS
from ingest.plan import IngestPlan, plan_ingest
from ingest.run import IngestOptions, IngestReport, Progress
from ingest.run import ingest as run_ingest
from ingest.source import Source, open_source
from plugin.ranking.errors import (
    EngineError,
    ModelError,
    Overloaded,
    PartlyDone,
    RanksideError,
    SidecarError,
)
from rankside.cli.console import (
    ConfigOption,
    IndexOption,
    JsonFlag,
    SidecarOption,
    UrlOption,
    err,
    names_of,
    out,
    print_json,
    progress,
)
from rankside.cli.writing import (
    RATE_COLUMN,
    BatchOption,
    BulkBytesOption,
    BulkDocsOption,
    ConcurrencyOption,
    DeadLetterOption,
    InProcessFlag,
    PatienceOption,
    TextFieldsOption,
    VectorFieldOption,
    flow_options,
    rate,
)
from rankside.embedding import engine_and_embedder
from rankside.settings import Settings, load_settings

DryRunFlag = Annotated[
    bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
]
SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|DIR",
        help="JSONL, CSV (both also .gz), Parquet, a BEIR folder, a folder of such files, or "
        "- for JSONL on standard input.",
    ),
]
IdFieldOption = Annotated[
    str | None,
    typer.Option("--id-field", help="Field of the id; default: _id, else id, else by place."),
]
SkipExistingFlag = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Leave documents alone whose text and model the index has already, even where "
        "other fields changed.",
    ),
]
HoldRefreshFlag = Annotated[
    bool, typer.Option("--hold-refresh", help="Show searches the documents only at the end.")
]
CheckpointOption = Annotated[
    Path | None, typer.Option("--checkpoint", help="Default: in the user's state folder.")
]
NoResumeFlag = Annotated[
    bool, typer.Option("--no-resume", help="Start over, whatever an earlier run has done.")
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Records to read at most.")]

_RESUMABLE = (EngineError, SidecarError, ModelError, Overloaded)


def ingest(
    source: SourceArgument,
    *,
    index: IndexOption,
    text_fields: TextFieldsOption = None,
    id_field: IdFieldOption = None,
    vector_field: VectorFieldOption = None,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    in_process: InProcessFlag = False,
    batch: BatchOption = 64,
    bulk_docs: BulkDocsOption = 500,
    bulk_bytes: BulkBytesOption = BULK_BYTES,
    concurrency: ConcurrencyOption = 2,
    patience: PatienceOption = 120,
    skip_existing: SkipExistingFlag = False,
    hold_refresh: HoldRefreshFlag = False,
    checkpoint: CheckpointOption = None,
    no_resume: NoResumeFlag = False,
    dead_letter: DeadLetterOption = None,
    limit: LimitOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Embed documents and index them; run it again after any interruption to go on."""
    settings = load_settings(config)
    options = IngestOptions(
        index=index,
        layout=settings.pipelines,
        text_fields=names_of(text_fields),
        vector_field=vector_field,
        flow=flow_options(batch, concurrency, bulk_docs, bulk_bytes, patience, skip_existing),
        limit=limit,
        hold_refresh=hold_refresh,
        resume=not no_resume,
        checkpoint=checkpoint,
        dead_letter=dead_letter,
    )
    opened = open_source(source, ID_FIELDS if id_field is None else (id_field,))
    access = {"url": url, "sidecar": sidecar, "in_process": in_process, "parallel": concurrency}
    if dry_run:
        _print_plan(asyncio.run(_plan(opened, settings, options, access)), as_json=as_json)
    else:
        report = asyncio.run(_ingest(opened, settings, options, access, quiet=as_json))
        _print_report(report, as_json=as_json)


async def _ingest(
    source: Source,
    settings: Settings,
    options: IngestOptions,
    access: dict[str, Any],
    *,
    quiet: bool,
) -> IngestReport:
    with progress(RATE_COLUMN, quiet=quiet) as bar:
        task = bar.add_task(f"into {escape(options.index)}", total=None, rate="")
        begun = False

        def show(now: Progress) -> None:
            nonlocal begun
            begun = True
            done = rate(now.settled_now, now.seconds)
            bar.update(task, completed=now.settled, rate=done)

        counting = asyncio.create_task(_count(source, options, lambda n: bar.update(task, total=n)))
        try:
            async with engine_and_embedder(settings, **access) as (engine, embedder):
                return await run_ingest(source, engine, embedder, options, progress=show)
        except _RESUMABLE:
            if begun and source.resumable:
                err.print("What is indexed stays; the same command goes on from there.")
            raise
        finally:
            counting.cancel()


async def _count(source: Source, options: IngestOptions, found: Callable[[int], None]) -> None:
    """How many records there are, for the bar; where that fails, reading will say why."""
    with suppress(RanksideError, OSError):
        total = await asyncio.to_thread(source.count)
        if total is not None:
            found(min(total, options.limit or total))


async def _plan(
    source: Source, settings: Settings, options: IngestOptions, access: dict[str, Any]
) -> IngestPlan:
    async with engine_and_embedder(settings, **access) as (engine, embedder):
        return await plan_ingest(source, engine, embedder, options)


def _print_report(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_dict())
    else:
        out.print(
            f"[bold]{escape(report.index)}[/]: {report.indexed} indexed, {report.skipped} skipped, "
            f"{report.rejected} rejected of {report.read} read; {report.seconds:.1f} s, "
            f"{report.documents_per_second:.0f} documents/s"
        )
        if report.derived_ids:
            out.print(f"{report.derived_ids} had no id: theirs is derived from file and line")
        if report.overwritten:
            out.print(f"{report.overwritten} took the place of documents of the same id")
    if report.rejected:
        raise PartlyDone(
            f"{report.rejected} of {report.read} records were not indexed; they and the reasons "
            f"are in {report.dead_letter}"
        )


def _print_plan(plan: IngestPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan.as_dict())
        return
    found = plan.findings
    out.print(
        f"{found.documents} documents of {found.read} records; {found.broken} broken, "
        f"{found.without_text} without text, {found.derived_ids} without an id"
    )
    for sentence in found.first_broken:
        out.print(f"  {sentence}", markup=False)
    fields = ", ".join(f"{name} ({count})" for name, count in sorted(found.fields.items()))
    out.print(f"fields: {fields}", markup=False)
    out.print(f"embedded: {', '.join(plan.text_fields)} by {plan.model} ({plan.fingerprint})")
    if plan.create is not None:
        out.print(f"index {escape(plan.index)} would be created:")
        out.print_json(data=plan.create)
    elif plan.add_fields:
        out.print(f"index {escape(plan.index)} would be given: {', '.join(plan.add_fields)}")
    else:
        out.print(f"index {escape(plan.index)} is ready")
    if plan.resumes_at:
        out.print(f"an earlier run stopped at record {plan.resumes_at}; this would go on there")
