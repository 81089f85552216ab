"""Every document of an index, page by page, from a point in time.

Sources: both engines' pages on point in time and `search_after`; `_shard_doc` as the sort was run
on OpenSearch 3.6 and Elasticsearch 9.5. Where an engine has neither, scroll.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from connectors.engine import Engine, EngineKind, index_path
from plugin.ranking.errors import EngineError, EngineRejected, EngineUnavailable

KEEP_ALIVE = "10m"  # for one page: embedding a page on a slow machine takes its time
_UNSUPPORTED = frozenset({400, 404, 405, 501})
_WHOLE = {"allow_partial_search_results": "false"}  # a shard that is away must not go unnoticed

Hit = dict[str, Any]


class ScanLost(EngineUnavailable):
    """A scan broke off: the engine was away, or restarted and forgot the point in time."""


async def scan(
    engine: Engine, index: str, *, page: int, source: Any = False
) -> AsyncGenerator[list[Hit], None]:
    """Pages of at most ``page`` hits with ``_source`` (as ``source`` filters it), ``_seq_no``, ….

    What is written meanwhile is not seen.

    Raises:
        ScanLost: it broke off behind its first page; scan anew.
        EngineError: the engine failed.
    """
    body = {"size": page, "_source": source, "seq_no_primary_term": True}
    pages = _by_point_in_time(engine, index, body)
    first: list[Hit]
    try:
        first = await anext(pages, [])
    except EngineRejected as error:
        await pages.aclose()
        if error.status not in _UNSUPPORTED:
            raise
        pages = _by_scroll(engine, index, body)
        first = await anext(pages, [])
    async with aclosing(pages):
        if first:
            yield first
        while hits := await _next(pages):
            yield hits


async def _next(pages: AsyncGenerator[list[Hit], None]) -> list[Hit]:
    try:
        return await anext(pages, [])
    except EngineError as error:
        raise ScanLost(f"reading the index broke off ({error}); run this again") from error


async def _by_point_in_time(
    engine: Engine, index: str, body: Mapping[str, Any]
) -> AsyncGenerator[list[Hit], None]:
    async with _point_in_time(engine, index) as pit:
        asked = {**body, "track_total_hits": False, "sort": [{"_shard_doc": "asc"}]}
        while True:
            asked["pit"] = pit
            answer = await engine.request("POST", "/_search", params=_WHOLE, body=asked)
            pit["id"] = answer.get("pit_id", pit["id"])
            hits = answer["hits"]["hits"]
            if not hits:
                return
            asked["search_after"] = hits[-1]["sort"]
            yield hits


@asynccontextmanager
async def _point_in_time(engine: Engine, index: str) -> AsyncIterator[dict[str, Any]]:
    """The ``pit`` of a search body; its id is to be kept up to date there."""
    opensearch = engine.kind is EngineKind.OPENSEARCH
    path = "/_search/point_in_time" if opensearch else "/_pit"
    answer = await engine.request(
        "POST", f"{index_path(index)}{path}", params={"keep_alive": KEEP_ALIVE}
    )
    pit = {"id": answer["pit_id" if opensearch else "id"], "keep_alive": KEEP_ALIVE}
    try:
        yield pit
    finally:
        with suppress(EngineError):  # it goes by itself, later
            gone = {"pit_id": [pit["id"]]} if opensearch else {"id": pit["id"]}
            await engine.request("DELETE", path, body=gone)


async def _by_scroll(
    engine: Engine, index: str, body: Mapping[str, Any]
) -> AsyncGenerator[list[Hit], None]:
    params = {"scroll": KEEP_ALIVE, **_WHOLE}
    answer = await engine.search(index, {**body, "sort": ["_doc"]}, params=params)
    scroll = answer["_scroll_id"]
    try:
        while hits := answer["hits"]["hits"]:
            yield hits
            again = {"scroll": KEEP_ALIVE, "scroll_id": scroll}
            answer = await engine.request("POST", "/_search/scroll", body=again)
            scroll = answer.get("_scroll_id", scroll)
    finally:
        with suppress(EngineError):
            await engine.request("DELETE", "/_search/scroll", body={"scroll_id": [scroll]})
