"""One run over the records of a source: each becomes a document of the index, or a dead letter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from connectors.engine import BulkItem
from connectors.meta import document_text, vector_hash
from ingest.bulk import BulkWriter, Judged, Write, write
from ingest.documents import Record, SourceDocument
from ingest.embedders import DocumentEmbedder
from ingest.embedding import Embedded, embed_texts
from ingest.ledger import Ledger
from ingest.readers.lines import MIB
from ingest.retry import patiently
from ingest.stages import FlowOptions, Stages
from ingest.stored import Target
from ingest.watermark import Ticket

__all__ = ["Flow", "FlowOptions", "Pending", "next_batch"]

_BATCH_BYTES = 8 * MIB
_CREATED = 201


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A document on its way, with its ticket and its text."""

    document: SourceDocument
    ticket: Ticket
    text: str


class Flow:
    """Reads, embeds and writes; ``settled`` is called now and then."""

    def __init__(
        self,
        target: Target,
        embedder: DocumentEmbedder,
        ledger: Ledger,
        options: FlowOptions,
        *,
        settled: Callable[[], None],
    ) -> None:
        self._target = target
        self._meta = target.meta
        self._embedder = embedder
        self._ledger = ledger
        self._options = options
        self._settled = settled

    async def run(self, records: Iterator[Record]) -> None:
        """Index every document of ``records``; raises as ``ingest.run.ingest`` does."""
        target = self._target
        writer = BulkWriter(target.engine, target.name, self._options.bulk, self._ledger.retried)
        stages = Stages(
            writer,
            self._options,
            parallel=self._embedder.parallel,
            prepare=self._prepare,
            settle=self._settle,
        )
        await stages.run(self._batches(records))

    async def _batches(self, records: Iterator[Record]) -> AsyncGenerator[list[Pending], None]:
        while batch := await asyncio.to_thread(next_batch, records, self._options.batch):
            tickets = [(record, self._ledger.read(record)) for record in batch]
            yield [
                Pending(record, ticket, document_text(record.fields, self._meta.text_fields))
                for record, ticket in tickets
                if isinstance(record, SourceDocument)
            ]

    async def _prepare(self, batch: Sequence[Pending]) -> list[Write]:
        if self._options.skip_existing:
            batch = await self._missing(batch)
        embedded = await embed_texts(
            self._embedder,
            [one.text for one in batch],
            patience=self._options.bulk.patience,
            retried=lambda: self._ledger.retried(1),
        )
        writes = []
        for one, result in zip(batch, embedded, strict=True):
            if isinstance(result, str):
                self._reject(one, result)
            else:
                writes.append(self._as_write(one, result))
        self._note()
        return writes

    def _as_write(self, one: Pending, vector: Embedded) -> Write:
        """A document without text is indexed without a vector, and its hash says so."""
        one.ticket.embedded = vector is not None
        hash_ = vector_hash(self._meta.fingerprint, one.text)
        return write(
            {"index": {"_id": one.document.id}},
            {**one.document.fields, self._meta.hash_field: hash_},
            owner=one,
            vector=None if vector is None else (self._meta.vector_field, vector),
        )

    async def _missing(self, batch: Sequence[Pending]) -> list[Pending]:
        """Those that the index does not hold with the same text and model; settles the others."""
        name = self._meta.hash_field
        wanted = [{"_id": one.document.id, "_source": [name]} for one in batch]
        stored = await patiently(
            lambda: self._target.get(wanted),
            patience=self._options.bulk.patience,
            retried=lambda: self._ledger.retried(1),
        )
        missing = []
        for one, found in zip(batch, stored, strict=True):
            there = found.get("_source", {}).get(name)
            if there == vector_hash(self._meta.fingerprint, one.text):
                self._ledger.skipped(one.ticket)
            else:
                missing.append(one)
        return missing

    async def _settle(self, judged: Sequence[Judged]) -> None:
        for one, item in judged:
            if item.error is None:
                self._ledger.indexed(one.owner.ticket, overwrote=item.status != _CREATED)
            else:
                self._reject(one.owner, item.error, item)
        self._note()

    def _note(self) -> None:
        self._ledger.save_if_due()
        self._settled()

    def _reject(self, one: Pending, reason: str, item: BulkItem | None = None) -> None:
        self._ledger.reject(
            one.ticket,
            reason,
            status=item.status if item else None,
            id=one.document.id,
            document=one.document.fields,
        )


def next_batch(records: Iterator[Record], most: int) -> list[Record]:
    """The next records: at most ``most``, and fewer where they are large; empty at the end."""
    batch: list[Record] = []
    for record in islice(records, most):
        batch.append(record)
        first, last = batch[0].position, record.position
        if first.part == last.part and last.offset - first.offset >= _BATCH_BYTES:
            break
    return batch
