"""Searches through a pipeline whose one line is the ``rankside`` processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch

PIPELINE = "reranked"
NONE = "_none"


@dataclass(frozen=True)
class Answer:
    """A response of the engine."""

    body: Mapping[str, Any]

    @property
    def hits(self) -> list[dict[str, Any]]:
        """The page."""
        found: list[dict[str, Any]] = self.body["hits"]["hits"]
        return found

    @property
    def ids(self) -> list[str]:
        """The page's ids in order."""
        return [hit["_id"] for hit in self.hits]

    @property
    def scores(self) -> list[float]:
        """The page's scores in order."""
        return [hit["_score"] for hit in self.hits]

    @property
    def said(self) -> dict[str, Any]:
        """What Rankside says of it."""
        found: dict[str, Any] = self.body["ext"]["rankside"]
        return found


def search(
    engine: OpenSearch,
    index: str,
    body: Mapping[str, Any],
    *,
    pipeline: str = PIPELINE,
    ext: Mapping[str, Any] | None = None,
    **params: Any,
) -> Answer:
    """``body`` through ``pipeline``; ``ext`` is the request's own word on the reranking."""
    sent = {**body, "ext": {"rankside": dict(ext)}} if ext else dict(body)
    params = {"search_pipeline": pipeline, **params}
    return Answer(engine.search(index=index, body=sent, params=params))


def plain(engine: OpenSearch, index: str, body: Mapping[str, Any], **params: Any) -> Answer:
    """``body`` as the engine answers it by itself."""
    return search(engine, index, body, pipeline=NONE, **params)


def put_pipeline(engine: OpenSearch, name: str, **parameters: Any) -> None:
    """A pipeline with a ``rankside`` processor of these parameters."""
    body = {"request_processors": [{"rankside": parameters}]}
    engine.search_pipeline.put(id=name, body=body)
