"""Documents written through a pipeline with the ``rankside_embedding`` processor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from opensearchpy import OpenSearch

from connectors.engine import EngineKind
from connectors.meta import IndexMeta, document_text, vector_hash
from pipelines.definitions import index_body
from plugin.ranking.prompts import document_input
from tests.doubles import PROFILE, WordEncoder

META = IndexMeta(
    fingerprint=PROFILE.fingerprint,
    model=PROFILE.name,
    revision=PROFILE.revision,
    dimensions=PROFILE.dimensions,
)
PROCESSOR = "rankside_embedding"
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Writer:
    """A client that writes into ``index``, whose default pipeline has the index's name."""

    client: OpenSearch
    index: str

    def prepare(self, processor: Document, meta: IndexMeta = META, **pipeline: Any) -> None:
        """Make the pipeline, and the index with ``meta``."""
        self.pipeline([{PROCESSOR: processor}], **pipeline)
        body = index_body(EngineKind.OPENSEARCH, meta, replicas=0, default_pipeline=self.index)
        self.client.indices.create(index=self.index, body=body)

    def pipeline(self, processors: Sequence[Document], **pipeline: Any) -> None:
        """Make or replace the pipeline."""
        self.client.ingest.put_pipeline(id=self.index, body={"processors": processors, **pipeline})

    def bulk(
        self, documents: Mapping[str, Document], index: str = "", *, refresh: bool = True
    ) -> dict[str, Any]:
        """Write documents by their ids in one request; of each, its item in the answer."""
        lines: list[Document] = []
        for id_, source in documents.items():
            lines += [{"index": {"_id": id_}}, source]
        answer = self.client.bulk(body=lines, index=index or self.index, refresh=refresh)
        items = {item["index"]["_id"]: item["index"] for item in answer["items"]}
        assert list(items) == list(documents)
        return items

    def source(self, id_: str, index: str = "") -> dict[str, Any]:
        """A document as it is stored."""
        found: dict[str, Any] = self.client.get(index=index or self.index, id=id_)["_source"]
        return found

    def ids(self, query: Document | None = None, size: int = 10_000) -> set[str]:
        """Documents that are there, or those that match."""
        body = {"query": query or {"match_all": {}}, "_source": False, "size": size}
        self.client.indices.refresh(index=self.index)
        hits = self.client.search(index=self.index, body=body)["hits"]["hits"]
        return {hit["_id"] for hit in hits}


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
