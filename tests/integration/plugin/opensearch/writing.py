"""Documents written through a pipeline of OpenSearch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.definitions import index_body
from tests.integration.plugin.embedding import META, PROCESSOR, Document, IndexWriter


@dataclass(frozen=True)
class Writer(IndexWriter):
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

    def send(self, lines: Sequence[Document], index: str, *, refresh: bool) -> Mapping[str, Any]:
        answer: dict[str, Any] = self.client.bulk(body=lines, index=index, refresh=refresh)
        return answer

    def source(self, id_: str, index: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(index=index or self.index, id=id_)["_source"]
        return found

    def hits(self, body: Document) -> list[dict[str, Any]]:
        self.client.indices.refresh(index=self.index)
        hits: list[dict[str, Any]] = self.client.search(index=self.index, body=body)["hits"]["hits"]
        return hits
