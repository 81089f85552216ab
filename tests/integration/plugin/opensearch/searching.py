"""Searches through a pipeline whose one line is the ``rankside`` processor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearchpy import OpenSearch

from tests.integration.plugin.shared import Answer

PIPELINE = "reranked"
NONE = "_none"


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
    found = engine.search(index=index, body=sent, params=params)
    return Answer(found, found.get("ext", {}).get("rankside", {}))


def plain(engine: OpenSearch, index: str, body: Mapping[str, Any], **params: Any) -> Answer:
    """``body`` as the engine answers it by itself."""
    return search(engine, index, body, pipeline=NONE, **params)


def put_pipeline(engine: OpenSearch, name: str, **parameters: Any) -> None:
    """A pipeline with a ``rankside`` processor of these parameters."""
    body = {"request_processors": [{"rankside": parameters}]}
    engine.search_pipeline.put(id=name, body=body)
