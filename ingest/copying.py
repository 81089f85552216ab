"""Copies an index into another with new vectors, and keeps up with what is written meanwhile.

A copy's external version is its original's sequence number plus one: that only grows with every
write of a document, even across its deletion, so an older state can never replace a newer one and
a second pass sees what has changed by comparing two numbers.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from connectors.meta import document_text, vector_hash
from ingest.bulk import BulkWriter, Judged, Write, write
from ingest.dead_letters import DeadLetters
from ingest.embedders import DocumentEmbedder
from ingest.embedding import Embedded, embed_texts
from ingest.index import refresh
from ingest.retry import Backoff, patiently
from ingest.scan import Hit, scan
from ingest.stages import FlowOptions, Stages
from ingest.stored import Progress, Target, Watch, address
from plugin.ranking.errors import EngineError

_PAGE = 500
_NOT_FOUND, _CONFLICT = 404, 409


@dataclass(slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild did.

    ``copied`` documents were written, ``embedded`` of them with a vector, ``deleted`` because they
    were deleted in the old index meanwhile. ``rejected`` are in the file ``dead_letter``: those
    ``without_vector`` are in the new index all the same, those ``not_copied`` are not.
    ``documents`` are in the new index in the end, ``originals`` in the old one. ``swapped`` says
    that the name now stands for the new one; ``other_aliases`` still stand for the old one.
    """

    index: str
    old: str
    new: str
    model: str
    fingerprint: str
    documents: int = 0
    originals: int = 0
    copied: int = 0
    embedded: int = 0
    deleted: int = 0
    passes: int = 0
    rejected: int = 0
    without_vector: int = 0
    not_copied: int = 0
    retried: int = 0
    swapped: bool = False
    old_deleted: bool = False
    other_aliases: list[str] = field(default_factory=list)
    seconds: float = 0.0
    documents_per_second: float = 0.0
    dead_letter: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def note_retries(self, operations: int) -> None:
        """So many operations or calls were tried again."""
        self.retried += operations


@dataclass(frozen=True, slots=True)
class _Copy:
    """A document to be written; ``embedded`` says whether it has a vector."""

    id: str
    version: int
    embedded: bool


class Copier:
    """Brings ``new`` up to ``old``, pass by pass; ``reading`` are parameters of `_mget` there."""

    def __init__(
        self,
        old: Target,
        new: Target,
        embedder: DocumentEmbedder,
        options: FlowOptions,
        report: RebuildReport,
        *,
        dead: DeadLetters,
        reading: Mapping[str, str],
        watch: Watch,
    ) -> None:
        self._old = old
        self._new = new
        self._embedder = embedder
        self._options = options
        self._report = report
        self._dead = dead
        self._reading = reading
        self._watch = watch
        self._writer = BulkWriter(new.engine, new.name, options.bulk, report.note_retries)
        self._refused: dict[str, int] = {}
        self._began = time.monotonic()
        self._changes = 0

    async def catch_up(self) -> int:
        """One pass; the changes it made to the new index.

        Begun anew where it breaks off, while patience lasts. Raises as ``rebuild`` does.
        """
        backoff = Backoff(self._options.bulk.patience)
        self._changes = 0
        while True:
            before = self._changes
            try:
                await self._pass()
            except EngineError as error:
                if self._changes > before:
                    backoff.progressed()
                await backoff.pause(error)
            else:
                return self._changes

    async def _pass(self) -> None:
        self._report.passes += 1
        await self._run(self._copy, self._changed())
        # What was copied is in both, so that only deletions can make the counts differ.
        if await self._counts_differ():
            await self._run(self._delete, self._gone())
            await self._counts_differ()

    async def _run(
        self,
        prepare: Callable[[Sequence[Hit]], Awaitable[Sequence[Write]]],
        hits: AsyncGenerator[Sequence[Hit], None],
    ) -> None:
        await refresh(self._old.engine, self._old.name)
        parallel = self._embedder.parallel
        stages = Stages(
            self._writer, self._options, parallel=parallel, prepare=prepare, settle=self._settle
        )
        await stages.run(hits)
        await refresh(self._new.engine, self._new.name)

    async def _counts_differ(self) -> bool:
        await refresh(self._old.engine, self._old.name)
        self._report.documents = await self._new.count()
        self._report.originals = await self._old.count()
        return self._report.documents != self._report.originals

    async def _changed(self) -> AsyncGenerator[Sequence[Hit], None]:
        """Documents of the old index whose copy is missing or older."""
        total, looked_at = await self._old.count(), 0
        async with aclosing(scan(self._old.engine, self._old.name, page=_PAGE)) as pages:
            async for hits in pages:
                copies = await self._get(self._new, [_address(hit) for hit in hits])
                changed = [
                    hit
                    for hit, copy in zip(hits, copies, strict=True)
                    if max(copy.get("_version", 0), self._refused.get(hit["_id"], 0))
                    < _version(hit)
                ]
                for start in range(0, len(changed), self._options.batch):
                    yield changed[start : start + self._options.batch]
                looked_at += len(hits)
                seconds = time.monotonic() - self._began
                self._watch(Progress(looked_at, total, self._report.copied, seconds))

    async def _gone(self) -> AsyncGenerator[Sequence[Hit], None]:
        """Documents of the new index that the old one has no more."""
        async with aclosing(scan(self._new.engine, self._new.name, page=_PAGE)) as pages:
            async for hits in pages:
                originals = await self._get(self._old, [_address(hit) for hit in hits])
                pairs = zip(hits, originals, strict=True)
                yield [hit for hit, original in pairs if not original.get("found")]

    async def _copy(self, hits: Sequence[Hit]) -> list[Write]:
        """Copies of documents as they are now, those deleted meanwhile left out."""
        wanted = [address(hit["_id"], hit.get("_routing")) for hit in hits]
        found = await self._get(self._old, wanted, **self._reading)
        originals = [one for one in found if one.get("found")]
        texts = [document_text(one["_source"], self._new.meta.text_fields) for one in originals]
        embedded = await embed_texts(
            self._embedder,
            texts,
            patience=self._options.bulk.patience,
            retried=lambda: self._report.note_retries(1),
        )
        return [
            self._as_write(one, text, vector)
            for one, text, vector in zip(originals, texts, embedded, strict=True)
        ]

    def _as_write(self, original: Hit, text: str, vector: Embedded | str) -> Write:
        meta, document = self._new.meta, dict(original["_source"])
        copy = _Copy(original["_id"], _version(original), embedded=False)
        if isinstance(vector, str):
            self._report.without_vector += 1
            self._reject(copy, vector)
            vector = None
        else:
            document[meta.hash_field] = vector_hash(meta.fingerprint, text)
        action = {
            "index": {
                **address(copy.id, original.get("_routing")),
                "version": copy.version,
                "version_type": "external",
                # What the old index's pipeline does to a document is done already.
                "pipeline": "_none",
            }
        }
        return write(
            action,
            document,
            owner=replace(copy, embedded=vector is not None),
            vector=None if vector is None else (meta.vector_field, vector),
        )

    async def _delete(self, hits: Sequence[Hit]) -> list[Write]:
        writes = []
        for hit in hits:
            place = address(hit["_id"], hit.get("_routing"))
            condition = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
            action = {"delete": {**place, **condition}}
            writes.append(Write(action, None, len(str(action)), None))
        return writes

    async def _settle(self, judged: Sequence[Judged]) -> None:
        for one, item in judged:
            copy: _Copy | None = one.owner
            if item.status in (_NOT_FOUND, _CONFLICT):
                continue  # deleted, or a newer copy is there: the next pass looks again
            if item.error is None:
                self._changes += 1
                self._report.deleted += copy is None
                self._report.copied += copy is not None
                self._report.embedded += copy is not None and copy.embedded
            elif copy is not None:
                self._refused[copy.id] = copy.version
                self._report.not_copied += 1
                self._reject(copy, item.error, item.status)

    async def _get(
        self, target: Target, wanted: Sequence[Mapping[str, Any]], **params: str
    ) -> list[dict[str, Any]]:
        return await patiently(
            lambda: target.get(wanted, **params),
            patience=self._options.bulk.patience,
            retried=lambda: self._report.note_retries(1),
        )

    def _reject(self, copy: _Copy, reason: str, status: int | None = None) -> None:
        self._report.rejected += 1
        self._dead.add(reason, id=copy.id, status=status)


def _version(hit: Hit) -> int:
    return int(hit["_seq_no"]) + 1


def _address(hit: Hit) -> dict[str, Any]:
    return {**address(hit["_id"], hit.get("_routing")), "_source": False}
