"""`rankside ingest --dry-run`: everything an ingest reads and nothing it writes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from connectors.engine import Engine
from connectors.meta import IndexMeta, document_text
from ingest.checkpoint import go_on
from ingest.documents import BrokenRecord, Record
from ingest.embedders import DocumentEmbedder
from ingest.index import find_index, missing_fields, new_index
from ingest.run import IngestOptions, checked_meta, checkpoint_path, job_of
from ingest.source import Source

_SHOWN_BROKEN = 10


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is in a source: documents by field, records that are none, texts that are missing."""

    read: int = 0
    documents: int = 0
    broken: int = 0
    without_text: int = 0
    derived_ids: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    first_broken: list[str] = field(default_factory=list)

    def add(self, record: Record, meta: IndexMeta) -> None:
        """Count one record."""
        self.read += 1
        if isinstance(record, BrokenRecord):
            self.broken += 1
            if len(self.first_broken) < _SHOWN_BROKEN:
                place = f"{record.position.file}, line {record.position.line}"
                self.first_broken.append(f"{place}: {record.reason}")
            return
        self.documents += 1
        self.without_text += not document_text(record.fields, meta.text_fields)
        self.derived_ids += record.derived_id
        for name in record.fields:
            self.fields[name] = self.fields.get(name, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestPlan:
    """What an ingest would do.

    ``create`` is the body that would make the index, None where it is there; ``add_fields`` names
    the fields it would be given; ``resumes_at`` is how many records an earlier run dealt with.
    """

    index: str
    model: str
    fingerprint: str
    text_fields: tuple[str, ...]
    create: dict[str, Any] | None
    add_fields: list[str]
    resumes_at: int
    findings: Findings

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        plan = asdict(self)
        findings = plan.pop("findings")
        return {**plan, **findings}


async def plan_ingest(
    source: Source, engine: Engine, embedder: DocumentEmbedder, options: IngestOptions
) -> IngestPlan:
    """Read the whole source and say what ``ingest`` would do with it. Raises as ``ingest`` does."""
    index = await find_index(engine, options.index)
    meta = checked_meta(index, embedder, options)
    job = job_of(source, engine, meta, options.index)
    path = checkpoint_path(job, options) if source.resumable else None
    checkpoint = go_on(path, job, index.uuid if index else None, resume=options.resume)
    records = islice(source.records(), options.limit)
    return IngestPlan(
        index=options.index,
        model=meta.model,
        fingerprint=meta.fingerprint,
        text_fields=meta.text_fields,
        create=new_index(engine.kind, meta, options.layout) if index is None else None,
        add_fields=missing_fields(engine.kind, index, meta) if index else [],
        resumes_at=checkpoint.counts.read,
        findings=await asyncio.to_thread(_find, records, meta),
    )


def _find(records: Iterator[Record], meta: IndexMeta) -> Findings:
    findings = Findings()
    for record in records:
        findings.add(record, meta)
    return findings
