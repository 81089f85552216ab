"""Documents that are in an index already, and what a backfill says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors.engine import Engine, index_path
from connectors.meta import IndexMeta, document_text, vector_hash
from ingest.scan import Hit


@dataclass(frozen=True, slots=True)
class Target:
    """An index by its own name, and what its documents are to be like."""

    engine: Engine
    name: str
    meta: IndexMeta

    async def count(self) -> int:
        """Documents that a search would find now. Raises EngineError."""
        return int((await self.engine.request("GET", f"{index_path(self.name)}/_count"))["count"])

    async def get(self, wanted: Sequence[Mapping[str, Any]], **params: Any) -> list[dict[str, Any]]:
        """Documents by `_mget`, in the order of ``wanted``, as they are now. Raises EngineError."""
        path = f"{index_path(self.name)}/_mget"
        answer = await self.engine.request("POST", path, params=params, body={"docs": wanted})
        return list(answer["docs"])


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is in the index now."""

    id: str
    routing: str | None
    text: str
    hash: str | None
    seq_no: int
    primary_term: int

    @classmethod
    def of(cls, hit: Hit, meta: IndexMeta) -> Stored:
        """From a hit, or from a document of `_mget`."""
        source = hit.get("_source", {})
        return cls(
            id=hit["_id"],
            routing=hit.get("_routing"),
            text=document_text(source, meta.text_fields),
            hash=source.get(meta.hash_field),
            seq_no=hit["_seq_no"],
            primary_term=hit["_primary_term"],
        )

    def current(self, meta: IndexMeta) -> bool:
        """Whether its vector is of this text and of ``meta``'s model."""
        return self.hash == vector_hash(meta.fingerprint, self.text)

    @property
    def address(self) -> dict[str, Any]:
        """What finds it again."""
        return address(self.id, self.routing)


def address(id_: str, routing: str | None) -> dict[str, Any]:
    """What finds a document, in an action of a bulk request or in `_mget`."""
    return {"_id": id_} if routing is None else {"_id": id_, "routing": routing}


def sources(meta: IndexMeta) -> list[str]:
    """The fields that tell whether a document is current."""
    return [*meta.text_fields, meta.hash_field]


@dataclass(slots=True, kw_only=True)
class BackfillReport:
    """What was found and done.

    ``current``, ``missing`` and ``stale`` are as found first, and add up to ``documents``.
    ``updated`` were written, ``embedded`` of them with a vector (the others have no text); ``gone``
    were deleted meanwhile, ``conflicts`` written too often meanwhile, and ``rejected`` are in the
    file ``dead_letter``. ``complete`` says that every document is current in the end.
    """

    index: str
    model: str
    fingerprint: str
    added_fields: list[str] = field(default_factory=list)
    documents: int = 0
    current: int = 0
    missing: int = 0
    stale: int = 0
    updated: int = 0
    embedded: int = 0
    gone: int = 0
    conflicts: int = 0
    rejected: int = 0
    retried: int = 0
    seconds: float = 0.0
    documents_per_second: float = 0.0
    dead_letter: str | None = None
    complete: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def note_retries(self, operations: int) -> None:
        """So many operations or calls were tried again."""
        self.retried += operations


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is: documents looked at of ``total``, and those written in this run."""

    looked_at: int
    total: int
    updated: int
    seconds: float


def ignore(_: Progress) -> None:
    """Progress that nobody watches."""


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class Census:
    """What one pass found."""

    current: int = 0
    missing: int = 0
    stale: int = 0

    @property
    def documents(self) -> int:
        """All of them."""
        return self.current + self.missing + self.stale

    def take(self, stored: Iterable[Stored], meta: IndexMeta) -> list[Stored]:
        """Count documents; gives those that are not current."""
        todo = []
        for one in stored:
            if one.current(meta):
                self.current += 1
                continue
            self.missing += one.hash is None
            self.stale += one.hash is not None
            todo.append(one)
        return todo

    def tell(self, report: BackfillReport) -> None:
        """Put it into ``report``."""
        report.documents, report.current = self.documents, self.current
        report.missing, report.stale = self.missing, self.stale
