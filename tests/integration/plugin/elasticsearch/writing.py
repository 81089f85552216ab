"""Documents written through a pipeline of Elasticsearch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.definitions import index_body
from tests.integration.plugin.embedding import META, PROCESSOR, Document, IndexWriter


@dataclass(frozen=True)
class Writer(IndexWriter):
    """A client that writes into ``index``, whose default pipeline has the index's name."""

    client: Elasticsearch
    index: str

    def prepare(self, processor: Document, meta: IndexMeta = META) -> None:
        """Make the pipeline, and the index with ``meta``."""
        self.pipeline([{PROCESSOR: processor}])
        body = index_body(EngineKind.ELASTICSEARCH, meta, replicas=0, default_pipeline=self.index)
        self.client.indices.create(index=self.index, **body)

    def pipeline(self, processors: Sequence[Document]) -> None:
        """Make or replace the pipeline."""
        self.client.ingest.put_pipeline(id=self.index, processors=processors)

    def send(self, lines: Sequence[Document], index: str, *, refresh: bool) -> Mapping[str, Any]:
        return self.client.bulk(operations=lines, index=index, refresh=refresh).body

    def source(self, id_: str, index: str = "") -> dict[str, Any]:
        found = self.client.get(index=index or self.index, id=id_, source_exclude_vectors=False)
        return dict(found["_source"])

    def hits(self, body: Document) -> list[dict[str, Any]]:
        self.client.indices.refresh(index=self.index)
        return list(self.client.search(index=self.index, **body)["hits"]["hits"])
