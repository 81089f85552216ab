"""Brings the vectors of an index up to date, pass by pass, without overwriting others' writes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from connectors.engine import BulkItem
from connectors.meta import vector_hash
from ingest.bulk import BulkWriter, Judged, Write, write
from ingest.dead_letters import DeadLetters
from ingest.embedders import DocumentEmbedder
from ingest.embedding import Embedded, embed_texts
from ingest.index import refresh
from ingest.retry import Backoff, patiently
from ingest.scan import scan
from ingest.stages import FlowOptions, Stages
from ingest.stored import BackfillReport, Census, Progress, Stored, Target, Watch, sources
from plugin.ranking.errors import EngineError

_ROUNDS = 5  # a document that is written more often than this meanwhile is left to the next run
_PASSES = 10
_LEAST_PAGE = 100
_NOT_FOUND, _CONFLICT = 404, 409


class Updater:
    """Updates documents of ``target`` whose hash field is not that of its meta.

    ``replacing``: other vectors are being replaced, and soon the index will say that all are of
    the new model. So passes follow each other until one finds nothing to do, and a document whose
    text the model refuses loses its old vector.
    """

    def __init__(
        self,
        target: Target,
        embedder: DocumentEmbedder,
        options: FlowOptions,
        report: BackfillReport,
        *,
        dead: DeadLetters,
        replacing: bool,
        watch: Watch,
    ) -> None:
        self._target = target
        self._meta = target.meta
        self._embedder = embedder
        self._options = options
        self._report = report
        self._dead = dead
        self._replacing = replacing
        self._watch = watch
        self._writer = BulkWriter(target.engine, target.name, options.bulk, report.note_retries)
        self._refused: set[str] = set()
        self._began = time.monotonic()
        self._total = 0

    async def run(self) -> None:
        """Bring the index up to date. Raises as ``backfill`` does."""
        todo = 0
        for number in range(_PASSES if self._replacing else 1):
            todo = await self._whole_pass(first=number == 0)
            if todo == 0:
                break
        unseen = todo if self._replacing else 0
        self._report.complete = not (unseen or self._report.rejected or self._report.conflicts)

    async def _whole_pass(self, *, first: bool) -> int:
        """One pass, begun anew where it breaks off, while patience lasts."""
        backoff = Backoff(self._options.bulk.patience)
        while True:
            updated = self._report.updated
            try:
                return await self._pass(first=first)
            except EngineError as error:
                if self._report.updated > updated:
                    backoff.progressed()
                await backoff.pause(error)

    async def _pass(self, *, first: bool) -> int:
        """Update what is not current; how many documents were not."""
        await refresh(self._target.engine, self._target.name)
        self._total = await self._target.count()
        census = Census()
        stages = Stages(
            self._writer,
            self._options,
            parallel=self._embedder.parallel,
            prepare=self._prepare,
            settle=self._settle,
        )
        await stages.run(self._batches(census))
        await refresh(self._target.engine, self._target.name)
        if first:
            census.tell(self._report)
        return census.missing + census.stale

    async def _batches(self, census: Census) -> AsyncGenerator[list[Stored], None]:
        size = self._options.batch
        waiting: list[Stored] = []
        pages = scan(
            self._target.engine,
            self._target.name,
            page=max(size, _LEAST_PAGE),
            source=sources(self._meta),
        )
        async with aclosing(pages):
            async for hits in pages:
                stored = (Stored.of(hit, self._meta) for hit in hits)
                fresh = (one for one in stored if one.id not in self._refused)
                waiting += census.take(fresh, self._meta)
                self._note(census)
                while len(waiting) >= size:
                    yield waiting[:size]
                    del waiting[:size]
        yield waiting

    async def _prepare(self, batch: Sequence[Stored]) -> list[Write]:
        embedded = await embed_texts(
            self._embedder,
            [one.text for one in batch],
            patience=self._options.bulk.patience,
            retried=lambda: self._report.note_retries(1),
        )
        writes = []
        for one, result in zip(batch, embedded, strict=True):
            if not isinstance(result, str):
                writes.append(self._update(one, result))
                continue
            self._reject(one, result)
            if self._replacing:
                writes.append(self._drop(one))
        return writes

    def _update(self, one: Stored, vector: Embedded) -> Write:
        fields: dict[str, Any] = {
            self._meta.hash_field: vector_hash(self._meta.fingerprint, one.text)
        }
        if vector is None:
            fields[self._meta.vector_field] = None  # its text is gone, so is what was made of it
        return _partial(one, fields, None if vector is None else (self._meta.vector_field, vector))

    def _drop(self, one: Stored) -> Write:
        return _partial(one, {self._meta.hash_field: None, self._meta.vector_field: None}, None)

    async def _settle(self, judged: Sequence[Judged]) -> None:
        for _ in range(_ROUNDS):
            conflicts = [one.owner for one, item in judged if not self._count(one, item)]
            if not conflicts:
                return
            again = await self._read_again(conflicts)
            judged = await self._writer.send(await self._prepare(again))
        self._report.conflicts += sum(not self._count(one, item) for one, item in judged)

    def _count(self, one: Write, item: BulkItem) -> bool:
        """Take note of an outcome; whether it is final."""
        if item.status == _CONFLICT:
            return False
        stored: Stored = one.owner
        if item.error is None:
            if stored.id not in self._refused:
                self._report.updated += 1
                self._report.embedded += bool(stored.text)
        elif item.status == _NOT_FOUND:
            self._report.gone += 1
        else:
            self._reject(stored, item.error, item.status)
        return True

    async def _read_again(self, conflicts: Sequence[Stored]) -> list[Stored]:
        """What somebody wrote meanwhile, as it is now, where it is not current."""
        wanted = [{**one.address, "_source": sources(self._meta)} for one in conflicts]
        answer = await patiently(
            lambda: self._target.get(wanted),
            patience=self._options.bulk.patience,
            retried=lambda: self._report.note_retries(1),
        )
        there = [found for found in answer if found.get("found")]
        self._report.gone += len(conflicts) - len(there)
        now = [Stored.of(found, self._meta) for found in there]
        return [one for one in now if not one.current(self._meta)]

    def _reject(self, one: Stored, reason: str, status: int | None = None) -> None:
        if one.id not in self._refused:
            self._refused.add(one.id)
            self._report.rejected += 1
            self._dead.add(reason, id=one.id, routing=one.routing, status=status)

    def _note(self, census: Census) -> None:
        seconds = time.monotonic() - self._began
        self._watch(Progress(census.documents, self._total, self._report.updated, seconds))


def _partial(one: Stored, fields: dict[str, Any], vector: Any) -> Write:
    """A partial update that fails where the document is no longer as it was read."""
    condition = {"if_seq_no": one.seq_no, "if_primary_term": one.primary_term}
    written = write({}, fields, vector=vector)
    document = {"doc": written.document}
    action = {"update": {**one.address, **condition}}
    return Write(action, document, written.size + len(str(action)) + 10, one)
