"""Searches through the ``rankside`` retriever, and as the engine answers them by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticsearch import Elasticsearch

from tests.integration.plugin.shared import Answer

TEXT = "who looks after it on a cold winter night"
QUERY = {"match": {"text": TEXT}}
STANDARD = {"standard": {"query": QUERY}}


def reranked(inner: Mapping[str, Any] = STANDARD, **parameters: Any) -> dict[str, Any]:
    """The hits of ``inner``, put in order."""
    said = {"query_text": TEXT, "timeout": "30s", **parameters}
    return {"rankside": {"retriever": dict(inner), **said}}


def search(
    engine: Elasticsearch, index: str | None, retriever: Mapping[str, Any], **body: Any
) -> Answer:
    """What a retriever finds; hits come without their source unless ``body`` says otherwise."""
    sent = {"_source": False, **body, "retriever": retriever}
    path = f"/{index}/_search" if index else "/_search"
    headers = {"accept": "application/json", "content-type": "application/json"}
    answer = engine.perform_request("POST", path, headers=headers, body=sent)
    return Answer(answer.body, _said(answer.meta.headers))


def _said(headers: Mapping[str, str]) -> dict[str, str]:
    """What the headers of Rankside's say, by their names without the beginning."""
    start = "x-rankside-"
    return {
        name.lower().removeprefix(start): value
        for name, value in headers.items()
        if name.lower().startswith(start)
    }
