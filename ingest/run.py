"""`rankside ingest`: a source into an index, resumable after any end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.engine import Engine
from connectors.meta import IndexMeta, document_text
from ingest.checkpoint import Checkpoint, Job, go_on, sole, state_folder
from ingest.dead_letters import DeadLetters, fresh_dead_letters
from ingest.documents import START, Record, SourceDocument
from ingest.embedders import DocumentEmbedder
from ingest.flow import Flow
from ingest.index import (
    Index,
    check_meta,
    ensure_index,
    find_index,
    meta_for,
    refresh,
    set_refresh_interval,
)
from ingest.ledger import Ledger
from ingest.source import Source
from ingest.stages import FlowOptions
from ingest.stored import Target
from pipelines.options import PipelineOptions
from plugin.ranking.errors import EngineError, SettingsError

_RUNNING = (
    "another ingest of this source into this index is running; wait for it, or give each its own "
    "--checkpoint"
)
_HEAD = 100  # records that are looked at before anything is changed


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What to do with a source; None takes what the index has, or what ``layout`` says.

    ``hold_refresh`` keeps what is written from searches until the end. Without ``resume`` a
    checkpoint that is there is replaced. ``limit`` counts records over all runs.
    """

    index: str
    layout: PipelineOptions = field(default_factory=PipelineOptions)
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None
    flow: FlowOptions = field(default_factory=FlowOptions)
    limit: int | None = None
    hold_refresh: bool = False
    resume: bool = True
    checkpoint: Path | None = None
    dead_letter: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of the source, over all runs where one was resumed.

    ``resumed_at`` is how many records earlier runs had dealt with; ``seconds`` and
    ``documents_per_second`` (of those dealt with) are this run's. ``dead_letter`` and
    ``checkpoint`` are paths, where there is such a file in the end.
    """

    index: str
    created: bool
    read: int
    embedded: int
    indexed: int
    skipped: int
    rejected: int
    retried: int
    overwritten: int
    derived_ids: int
    resumed_at: int
    seconds: float
    documents_per_second: float
    dead_letter: str | None
    checkpoint: str | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: records dealt with over all runs, and in this one."""

    settled: int
    settled_now: int
    seconds: float


def ignore(_: Progress) -> None:
    """Progress that nobody watches."""


async def ingest(
    source: Source,
    engine: Engine,
    embedder: DocumentEmbedder,
    options: IngestOptions,
    *,
    progress: Callable[[Progress], None] = ignore,
) -> IngestReport:
    """Embed and index every document of ``source``; goes on where a killed run stopped.

    Documents are written under their ids, so writing one twice leaves one. What cannot be read or
    is refused by the engine becomes a dead letter.

    Raises:
        SettingsError: the source, the index or the checkpoint does not fit; nothing is changed.
        EngineError: the engine failed for longer than patience lasts; the checkpoint stays.
        SidecarError: the sidecar did; the checkpoint stays.
        ModelError: the encoder failed; the checkpoint stays.
    """
    began = time.monotonic()
    index = await find_index(engine, options.index)
    meta = checked_meta(index, embedder, options)
    job = job_of(source, engine, meta, options.index)
    path = checkpoint_path(job, options) if source.resumable else None
    with sole(path, _RUNNING) if path else nullcontext():
        checkpoint = go_on(path, job, index.uuid if index else None, resume=options.resume)
        resumed_at = checkpoint.counts.read
        records = await asyncio.to_thread(open_records, source, checkpoint, meta, options.limit)
        ready = await ensure_index(engine, options.index, meta, options.layout)
        checkpoint.index_uuid = ready.uuid
        ledger = Ledger(checkpoint, path, _dead_letters(job, options, checkpoint))
        watch = _watcher(ledger, progress, began)
        target = Target(engine, options.index, meta)
        flow = Flow(target, embedder, ledger, options.flow, settled=watch)
        async with _recorded(ledger), _refresh_held(engine, ready, ledger, options.hold_refresh):
            await flow.run(records)
        await refresh(engine, options.index)
        await _check_same(engine, ready)
        ledger.finish()
    return _report(ledger, options.index, began, resumed_at, created=index is None)


def checked_meta(
    index: Index | None, embedder: DocumentEmbedder, options: IngestOptions
) -> IndexMeta:
    """The meta of what will be written. Raises SettingsError where ``index`` has another."""
    meta = meta_for(
        index,
        embedder,
        options.layout,
        text_fields=options.text_fields,
        vector_field=options.vector_field,
    )
    if index is not None:
        check_meta(index, meta)
    return meta


def job_of(source: Source, engine: Engine, meta: IndexMeta, index: str) -> Job:
    """What a checkpoint of this ingest belongs to."""
    return Job(
        source=source.path,
        parts=source.identity() if source.resumable else (),
        index=index,
        url=_without_password(engine.url),
        fingerprint=meta.fingerprint,
        text_fields=meta.text_fields,
        id_fields=source.id_fields,
        vector_field=meta.vector_field,
    )


def _without_password(url: str) -> str:
    """``url`` without the user and password it may hold: they are not for a file."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def checkpoint_path(job: Job, options: IngestOptions) -> Path:
    """Where the checkpoint of ``job`` is."""
    return options.checkpoint or state_folder() / f"{job.key}.json"


def open_records(
    source: Source, checkpoint: Checkpoint, meta: IndexMeta, limit: int | None
) -> Iterator[Record]:
    """The records behind the checkpoint.

    Raises:
        SettingsError: none of the first documents has a text.
    """
    records = source.records(checkpoint.position)
    if limit is not None:
        records = islice(records, max(limit - checkpoint.counts.read, 0))
    head = list(islice(records, _HEAD))
    if checkpoint.position == START:
        check_text([record for record in head if isinstance(record, SourceDocument)], meta)
    return chain(head, records)


def check_text(documents: list[SourceDocument], meta: IndexMeta) -> None:
    """See that some of ``documents`` have a text. Raises SettingsError."""
    if not documents or any(document_text(d.fields, meta.text_fields) for d in documents):
        return
    there = sorted({name for document in documents for name in document.fields})
    raise SettingsError(
        f"none of the first {len(documents)} documents has text in {', '.join(meta.text_fields)}; "
        f"give --text-fields (there are: {', '.join(there)[:300]})"
    )


async def _check_same(engine: Engine, index: Index) -> None:
    """See that ``index`` was not deleted meanwhile: the engine makes a new one for what is written.

    Raises:
        SettingsError: it was.
    """
    now = await find_index(engine, index.given)
    if now is None or now.uuid != index.uuid:
        raise SettingsError(
            f"{index.given} was deleted or replaced while documents were written into it; look at "
            "what is there now, and run this again with --no-resume"
        )


def _dead_letters(job: Job, options: IngestOptions, checkpoint: Checkpoint) -> DeadLetters:
    """The dead letters up to the checkpoint; a file of somebody else's is not touched."""
    default = state_folder() / f"{job.key}.dead-letters.jsonl"
    if checkpoint.position == START:
        return fresh_dead_letters(options.dead_letter, default)
    dead = DeadLetters(options.dead_letter or default)
    dead.keep_until(checkpoint.position)
    return dead


def _watcher(
    ledger: Ledger, progress: Callable[[Progress], None], began: float
) -> Callable[[], None]:
    before = ledger.checkpoint.counts.read

    def watch() -> None:
        settled = ledger.watermark.settled
        progress(Progress(before + settled, settled, time.monotonic() - began))

    watch()
    return watch


@asynccontextmanager
async def _recorded(ledger: Ledger) -> AsyncIterator[None]:
    """Have the checkpoint on disk from the beginning, and whole at any end but a kill."""
    ledger.save()
    try:
        yield
    finally:
        with closing(ledger.dead):
            ledger.save()


@asynccontextmanager
async def _refresh_held(
    engine: Engine, index: Index, ledger: Ledger, hold: bool
) -> AsyncIterator[None]:
    """Keep the engine from refreshing meanwhile, if asked; put its setting back at any end.

    After a kill the resumed run does that: the setting to put back is in the checkpoint first.
    """
    checkpoint = ledger.checkpoint
    if hold and not checkpoint.refresh_held:
        checkpoint.refresh_held = True
        checkpoint.refresh_interval = index.settings.get("refresh_interval")
        ledger.save()
    if hold:
        await set_refresh_interval(engine, index.name, "-1")
    told: AbstractContextManager[None] = suppress(EngineError)  # what went wrong first is told
    try:
        yield
        told = nullcontext()
    finally:
        if checkpoint.refresh_held:
            with told:
                await set_refresh_interval(engine, index.name, checkpoint.refresh_interval)


def _report(
    ledger: Ledger, index: str, began: float, resumed_at: int, *, created: bool
) -> IngestReport:
    counts, seconds = ledger.checkpoint.counts, time.monotonic() - began
    return IngestReport(
        index=index,
        created=created,
        **counts.model_dump(),
        resumed_at=resumed_at,
        seconds=round(seconds, 3),
        documents_per_second=round((counts.read - resumed_at) / seconds, 1),
        dead_letter=str(ledger.dead.path) if counts.rejected else None,
        checkpoint=str(ledger.path) if ledger.path and ledger.path.exists() else None,
    )
