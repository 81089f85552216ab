"""`rankside backfill`: the vectors that an index lacks, or that are stale, in place.

A document is done once its hash field says which model and text its vector is of; so a second run
finds nothing to do, and a killed one loses nothing.
"""

from __future__ import annotations

import time
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path

from connectors.engine import Engine
from connectors.meta import IndexMeta
from ingest.checkpoint import sole, state_folder
from ingest.dead_letters import fresh_dead_letters
from ingest.embedders import DocumentEmbedder
from ingest.index import (
    Index,
    check_sources,
    existing_index,
    meta_for,
    missing_fields,
    model_of,
    write_meta,
)
from ingest.scan import scan
from ingest.stages import FlowOptions
from ingest.stored import BackfillReport, Census, Progress, Stored, Target, Watch, ignore, sources
from ingest.updater import Updater
from pipelines.options import PipelineOptions
from plugin.ranking.errors import SettingsError

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOptions:
    """Which index, and whether its vectors may be replaced by another model's where they are."""

    index: str
    layout: PipelineOptions = field(default_factory=PipelineOptions)
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None
    in_place: bool = False
    flow: FlowOptions = field(default_factory=FlowOptions)
    dead_letter: Path | None = None


async def backfill(
    engine: Engine,
    embedder: DocumentEmbedder,
    options: BackfillOptions,
    *,
    watch: Watch = ignore,
) -> BackfillReport:
    """Embed what is missing or stale in an index, and leave alone what others write meanwhile.

    With ``in_place`` vectors of another model are replaced; until every one is, the index's
    fingerprint is empty and searches pass through.

    Raises:
        SettingsError: there is no such index, or its vectors are of another model.
        EngineError: the engine failed for longer than patience lasts.
        SidecarError: the sidecar did.
        ModelError: the encoder failed.
    """
    began = time.monotonic()
    index = await existing_index(engine, options.index)
    meta = _meta(index, embedder, options)
    replacing = _replaces(index, meta, in_place=options.in_place)
    await check_sources(engine, index, meta)
    report = _report(engine, index, meta)
    key = state_folder() / f"backfill-{index.uuid}"
    dead = fresh_dead_letters(options.dead_letter, key.with_suffix(".dead-letters.jsonl"))
    with sole(key, "another backfill of this index is running; wait for it"), closing(dead):
        if replacing or report.added_fields or index.meta is None:
            there = meta.model_copy(update={"fingerprint": ""}) if replacing else meta
            await write_meta(engine, index, there)
        updater = Updater(
            Target(engine, index.name, meta),
            embedder,
            options.flow,
            report,
            dead=dead,
            replacing=replacing,
            watch=watch,
        )
        await updater.run()
        if replacing and report.complete:
            await write_meta(engine, await existing_index(engine, index.name), meta)
    report.dead_letter = str(dead.path) if report.rejected else None
    seconds = time.monotonic() - began
    report.seconds = round(seconds, 3)
    report.documents_per_second = round(report.updated / seconds, 1)
    return report


async def find_stale(
    engine: Engine,
    embedder: DocumentEmbedder,
    options: BackfillOptions,
    *,
    watch: Watch = ignore,
) -> BackfillReport:
    """Count what ``backfill`` would do, and change nothing. Raises as it does."""
    began = time.monotonic()
    index = await existing_index(engine, options.index)
    meta = _meta(index, embedder, options)
    _replaces(index, meta, in_place=options.in_place)
    await check_sources(engine, index, meta)
    report, census = _report(engine, index, meta), Census()
    total = await Target(engine, index.name, meta).count()
    async with aclosing(scan(engine, index.name, page=_PAGE, source=sources(meta))) as pages:
        async for hits in pages:
            census.take((Stored.of(hit, meta) for hit in hits), meta)
            watch(Progress(census.documents, total, 0, time.monotonic() - began))
    census.tell(report)
    report.complete = report.current == report.documents and not report.added_fields
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _meta(index: Index, embedder: DocumentEmbedder, options: BackfillOptions) -> IndexMeta:
    return meta_for(
        index,
        embedder,
        options.layout,
        text_fields=options.text_fields,
        vector_field=options.vector_field,
    )


def _report(engine: Engine, index: Index, meta: IndexMeta) -> BackfillReport:
    return BackfillReport(
        index=index.given,
        model=meta.model,
        fingerprint=meta.fingerprint,
        added_fields=missing_fields(engine.kind, index, meta),
    )


def _replaces(index: Index, meta: IndexMeta, *, in_place: bool) -> bool:
    """Whether vectors of another model or of other fields are replaced; False where there are none.

    Where that is under way already, going on with it needs no leave. Raises SettingsError.
    """
    there = index.meta
    if there is None or there == meta:
        return False
    under_way = there == meta.model_copy(update={"fingerprint": ""})
    if not (in_place or under_way):
        raise SettingsError(
            f"{index.given} holds vectors of {model_of(there)} over {','.join(there.text_fields)}, "
            f"and these would be of {model_of(meta)} over {','.join(meta.text_fields)}; give "
            "--rebuild to make a new index beside it, or --in-place to replace them, with searches "
            "passing through meanwhile"
        )
    return True
