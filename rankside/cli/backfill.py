"""`rankside backfill`: the vectors that an index lacks, or a new index with a new model's."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.markup import escape

from ingest.backfill import BackfillOptions, find_stale
from ingest.backfill import backfill as run_backfill
from ingest.bulk import BULK_BYTES
from ingest.copying import RebuildReport
from ingest.rebuild import RebuildOptions, rebuild
from ingest.stored import BackfillReport, Progress
from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.cli.console import (
    ConfigOption,
    IndexOption,
    JsonFlag,
    SidecarOption,
    UrlOption,
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

InPlaceFlag = Annotated[
    bool,
    typer.Option(
        "--in-place",
        help="Replace vectors of another model where they are; searches pass through until "
        "all are.",
    ),
]
RebuildFlag = Annotated[
    bool,
    typer.Option("--rebuild", help="Copy and embed into a new index, then move the alias to it."),
]
ReplaceIndexFlag = Annotated[
    bool,
    typer.Option(
        "--replace-index",
        help="With --rebuild, where --index is no alias: delete that index in the end and make "
        "its name an alias of the new one.",
    ),
]
DeleteOldFlag = Annotated[
    bool, typer.Option("--delete-old", help="With --rebuild: do not keep the old index.")
]
BlockWritesFlag = Annotated[
    bool,
    typer.Option(
        "--block-writes",
        help="With --rebuild: refuse writes into the old index from the second pass on, so "
        "that none is lost at the end.",
    ),
]
DryRunFlag = Annotated[
    bool, typer.Option("--dry-run", help="Count what is missing and stale, change nothing.")
]


def backfill(
    *,
    index: IndexOption,
    text_fields: TextFieldsOption = None,
    vector_field: VectorFieldOption = None,
    in_place: InPlaceFlag = False,
    rebuild_: RebuildFlag = False,
    replace_index: ReplaceIndexFlag = False,
    delete_old: DeleteOldFlag = False,
    block_writes: BlockWritesFlag = False,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    in_process: InProcessFlag = False,
    batch: BatchOption = 64,
    bulk_docs: BulkDocsOption = 500,
    bulk_bytes: BulkBytesOption = BULK_BYTES,
    concurrency: ConcurrencyOption = 2,
    patience: PatienceOption = 120,
    dead_letter: DeadLetterOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Embed the documents of an index whose vector is missing or stale; run it again to go on."""
    settings = load_settings(config)
    shared: dict[str, Any] = {
        "index": index,
        "layout": settings.pipelines,
        "text_fields": names_of(text_fields),
        "vector_field": vector_field,
        "flow": flow_options(batch, concurrency, bulk_docs, bulk_bytes, patience),
        "dead_letter": dead_letter,
    }
    access = {"url": url, "sidecar": sidecar, "in_process": in_process, "parallel": concurrency}
    swap: dict[str, Any] = {
        "replace_index": replace_index,
        "delete_old": delete_old,
        "block_writes": block_writes,
    }
    _check_flags(rebuild_, swap, in_place=in_place, dry_run=dry_run)
    if rebuild_:
        rebuilding = _rebuild(settings, RebuildOptions(**shared, **swap), access, quiet=as_json)
        _print_rebuild(asyncio.run(rebuilding), as_json=as_json)
    else:
        within = BackfillOptions(**shared, in_place=in_place)
        report = asyncio.run(_backfill(settings, within, access, dry_run=dry_run, quiet=as_json))
        _print_report(report, dry_run=dry_run, as_json=as_json)


def _check_flags(rebuild_: bool, swap: dict[str, Any], *, in_place: bool, dry_run: bool) -> None:
    if rebuild_ and (in_place or dry_run):
        raise SettingsError("--rebuild goes with neither --in-place nor --dry-run; leave one out")
    alone = [f"--{name.replace('_', '-')}" for name, given in swap.items() if given]
    if alone and not rebuild_:
        raise SettingsError(f"{alone[0]} is part of a rebuild; give --rebuild too")


async def _backfill(
    settings: Settings,
    options: BackfillOptions,
    access: dict[str, Any],
    *,
    dry_run: bool,
    quiet: bool,
) -> BackfillReport:
    run = find_stale if dry_run else run_backfill
    with progress(RATE_COLUMN, quiet=quiet) as bar:
        task = bar.add_task(escape(options.index), total=None, rate="")

        def show(now: Progress) -> None:
            done = rate(now.updated, now.seconds)
            bar.update(task, completed=now.looked_at, total=now.total, rate=done)

        async with engine_and_embedder(settings, **access) as (engine, embedder):
            return await run(engine, embedder, options, watch=show)


async def _rebuild(
    settings: Settings, options: RebuildOptions, access: dict[str, Any], *, quiet: bool
) -> RebuildReport:
    with progress(RATE_COLUMN, quiet=quiet) as bar:
        task = bar.add_task(escape(options.index), total=None, rate="")

        def show(now: Progress) -> None:
            done = rate(now.updated, now.seconds)
            bar.update(task, completed=now.looked_at, total=now.total, rate=done)

        async with engine_and_embedder(settings, **access) as (engine, embedder):
            return await rebuild(engine, embedder, options, watch=show)


def _print_report(report: BackfillReport, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(report.as_dict())
    else:
        out.print(
            f"[bold]{escape(report.index)}[/]: {report.documents} documents, {report.current} "
            f"current, {report.missing} missing, {report.stale} stale for {report.model}"
        )
        if report.added_fields:
            verb = "lacks" if dry_run else "was given"
            out.print(f"the mapping {verb} {', '.join(report.added_fields)}", markup=False)
        if not dry_run:
            out.print(
                f"{report.updated} updated, {report.embedded} of them with a vector; "
                f"{report.seconds:.1f} s, {report.documents_per_second:.0f} documents/s"
            )
    if dry_run or report.complete:
        return
    where = f"; the reasons are in {report.dead_letter}" if report.dead_letter else ""
    raise PartlyDone(
        f"{report.rejected} documents were refused and {report.conflicts} written too often "
        f"meanwhile, of {report.documents}{where}; run this again for the others"
    )


def _print_rebuild(report: RebuildReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_dict())
    else:
        out.print(
            f"[bold]{escape(report.new)}[/]: {report.documents} documents, {report.copied} copied "
            f"in {report.passes} passes, {report.embedded} with a vector; {report.seconds:.1f} s"
        )
        if report.swapped:
            old = "deleted" if report.old_deleted else "kept"
            out.print(f"{report.index} now stands for it; {report.old} is {old}", markup=False)
        for alias in report.other_aliases:
            out.print(f"alias {alias} still stands for {report.old}", markup=False)
    if report.not_copied:
        raise PartlyDone(
            f"{report.not_copied} documents were refused, so {report.index} still stands for "
            f"{report.old}; mend them ({report.dead_letter}) and run this again"
        )
    if report.rejected:
        raise PartlyDone(
            f"{report.without_vector} documents have no vector, since the model refuses their "
            f"text; see {report.dead_letter}"
        )
