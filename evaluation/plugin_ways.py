"""How a search asks an engine's plugin for a rerank, and how its response says what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.engine import Engine, EngineKind
from connectors.meta import TEXT_FIELDS
from connectors.query_text import text_query

PAGE = 10
_STATUS, _REASON, _TIMINGS = "x-rankside-status", "x-rankside-reason", "x-rankside-timings"

Said = Mapping[str, Any]
"""What a search says of its rerank: ``status``, ``reason`` and ``timings_ms``."""


def body_of(text: str) -> dict[str, Any]:
    """A page of titles."""
    return {"query": text_query(text, TEXT_FIELDS), "size": PAGE, "_source": ["title"]}


def reported(body: Mapping[str, Any], headers: Mapping[str, str]) -> Said | None:
    """What a response says: OpenSearch's in its body, Elasticsearch's in its headers."""
    said: Said | None = body.get("ext", {}).get("rankside")
    if said is not None or _STATUS not in headers:
        return said
    timings = [one.split("=") for one in headers.get(_TIMINGS, "").split(", ")]
    return {
        "status": headers[_STATUS],
        "reason": headers.get(_REASON, ""),
        "timings_ms": {one[0]: float(one[1]) for one in timings if one != [""]},
    }


class Way(Protocol):
    """How one engine's searches are reranked; ``window`` None is the default one."""

    @property
    def stats(self) -> str:
        """The path of what its nodes counted."""

    @property
    def fresh_circuits(self) -> bool:
        """Whether ``prepare`` leads to a circuit that nothing is known of yet."""

    async def prepare(self, engine: Engine, sidecar: str, timeout: float, /) -> None:
        """Have searches wait for ``sidecar`` for ``timeout`` seconds."""

    def path(self, index: str) -> str:
        """Where a reranked search is sent."""

    def body(self, text: str, window: int | None = None) -> dict[str, Any]:
        """A page of titles, reranked for ``text``."""


@dataclass(slots=True)
class ByPipeline:
    """OpenSearch: a search pipeline, which knows the sidecar."""

    name: str
    stats: str = "/_plugins/_rankside/stats"
    fresh_circuits: bool = True

    async def prepare(self, engine: Engine, sidecar: str, timeout: float, /) -> None:
        """Write the pipeline anew."""
        processor = {"url": sidecar, "timeout": _milliseconds(timeout)}
        body = {"request_processors": [{"rankside": processor}]}
        await engine.request("PUT", f"/_search/pipeline/{self.name}", body=body)

    def path(self, index: str) -> str:
        """Through the pipeline."""
        return f"/{index}/_search?search_pipeline={self.name}"

    def body(self, text: str, window: int | None = None) -> dict[str, Any]:
        """The query's text is what is ranked for."""
        ext = {} if window is None else {"ext": {"rankside": {"window": window}}}
        return {**body_of(text), **ext}


@dataclass(slots=True)
class ByRetriever:
    """Elasticsearch: a retriever; the node knows its sidecar from its own settings."""

    timeout: float = 30.0
    stats: str = "/_rankside/stats"
    fresh_circuits: bool = False

    async def prepare(self, _engine: Engine, _sidecar: str, timeout: float, /) -> None:
        """Searches say how long they wait."""
        self.timeout = timeout

    def path(self, index: str) -> str:
        """As of any search."""
        return f"/{index}/_search"

    def body(self, text: str, window: int | None = None) -> dict[str, Any]:
        """The retriever around the query."""
        body = body_of(text)
        retriever = {
            "retriever": {"standard": {"query": body.pop("query")}},
            "query_text": text,
            "timeout": _milliseconds(self.timeout),
            **({} if window is None else {"rank_window_size": window}),
        }
        return {**body, "retriever": {"rankside": retriever}}


def way_of(kind: EngineKind, name: str) -> Way:
    """Of an engine; ``name`` is for what has to be made there."""
    return ByRetriever() if kind is EngineKind.ELASTICSEARCH else ByPipeline(name)


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
