"""Documents written through the ``rankside_embedding`` processor, on either engine."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from connectors.meta import IndexMeta, document_text, vector_hash
from plugin.ranking.prompts import document_input
from tests.doubles import PROFILE, WordEncoder
from tests.fake_sidecar import GUARD

META = IndexMeta(
    fingerprint=PROFILE.fingerprint,
    model=PROFILE.name,
    revision=PROFILE.revision,
    dimensions=PROFILE.dimensions,
)
PROCESSOR = "rankside_embedding"
Document = Mapping[str, Any]


class IndexWriter(ABC):
    """Writes into ``index``, whose default pipeline has the index's name."""

    index: str

    @abstractmethod
    def send(self, lines: Sequence[Document], index: str, *, refresh: bool) -> Mapping[str, Any]:
        """Send a bulk request; its answer."""

    @abstractmethod
    def hits(self, body: Document) -> list[dict[str, Any]]:
        """Search what is written by now."""

    @abstractmethod
    def source(self, id_: str, index: str = "") -> dict[str, Any]:
        """A document as it is stored, with its vectors."""

    def bulk(
        self, documents: Mapping[str, Document], index: str = "", *, refresh: bool = True
    ) -> dict[str, Any]:
        """Write documents by their ids in one request; of each, its item in the answer."""
        lines: list[Document] = []
        for id_, source in documents.items():
            lines += [{"index": {"_id": id_}}, source]
        answer = self.send(lines, index or self.index, refresh=refresh)
        items = {item["index"]["_id"]: item["index"] for item in answer["items"]}
        assert list(items) == list(documents)
        return items

    def ids(self, query: Document | None = None, size: int = 10_000) -> set[str]:
        """Documents that are there, or those that match."""
        body = {"query": query or {"match_all": {}}, "_source": False, "size": size}
        return {hit["_id"] for hit in self.hits(body)}

    def embedded(self, size: int = 10_000) -> set[str]:
        """Ids of the documents that have a vector, and the hash of their own text."""
        body = {
            "query": {"exists": {"field": META.vector_field}},
            "_source": ["title", "text", META.hash_field],
            "size": size,
        }
        hits = self.hits(body)
        for hit in hits:
            text = document_text(hit["_source"], META.text_fields)
            assert hit["_source"][META.hash_field] == vector_hash(META.fingerprint, text)
        return {hit["_id"] for hit in hits}


def documents(count: int) -> dict[str, dict[str, Any]]:
    """Documents whose texts are all different, by their ids."""
    return {
        str(number): {"title": f"Number {number}", "text": f"shard {number % 97} of {number % 89}"}
        for number in range(count)
    }


def refused(items: Mapping[str, Mapping[str, Any]], status: int) -> str:
    """The reason of all items, of which none was written."""
    assert {item["status"] for item in items.values()} == {status}
    (reason,) = {item["error"]["reason"] for item in items.values()}
    return str(reason)


def is_embedded(source: Document, meta: IndexMeta = META) -> bool:
    """Whether a stored document has the vector of its own text, and its hash."""
    text = document_text(source, meta.text_fields)
    vector = WordEncoder().encode([document_input(PROFILE, text)]).vectors[0]
    return (
        source.get(meta.hash_field) == vector_hash(meta.fingerprint, text)
        and meta.vector_field in source
        and bool(np.allclose(source[meta.vector_field], vector, atol=1e-6))
    )


def calls(sidecar: str, status: int = 200) -> int:
    """How many embedding calls the sidecar has answered so."""
    metrics = httpx.get(f"{sidecar}/metrics").text
    pattern = rf'rankside_requests_total{{route="/v1/embeddings",status="{status}"}} (\S+)'
    found = re.search(pattern, metrics)
    return int(float(found.group(1))) if found else 0


def until_one_is_refused(sidecar: str) -> Callable[[object], None]:
    """What an encoder may do before a batch: hold it until the queue was too full for another."""

    def hold(_: object) -> None:
        end = time.monotonic() + GUARD
        while not calls(sidecar, status=429):
            assert time.monotonic() < end
            time.sleep(0.05)

    return hold
