"""Searches through the ``rankside`` retriever, and as the engine answers them by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

TEXT = "who looks after it on a cold winter night"
QUERY = {"match": {"text": TEXT}}
STANDARD = {"standard": {"query": QUERY}}


@dataclass(frozen=True)
class Answer:
    """A response of the engine."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]

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
    def said(self) -> dict[str, str]:
        """What Rankside says of it, by the headers' names without their beginning."""
        start = "x-rankside-"
        return {
            name.lower().removeprefix(start): value
            for name, value in self.headers.items()
            if name.lower().startswith(start)
        }


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
    return Answer(answer.body, dict(answer.meta.headers))
