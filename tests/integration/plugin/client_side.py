"""Searches reranked outside the engine, to compare the plugins with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from connectors.connect import connect
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.search import Searcher, SearchOptions, SearchResult
from connectors.sidecar import SidecarClient
from plugin.ranking.hits import FusionWeights


async def client_side(
    url: str, sidecar: str, index: str, body: Mapping[str, Any], options: SearchOptions
) -> SearchResult:
    """What the client makes of a request to the engine at ``url``, whichever it is."""
    asked = SidecarClientOptions(url=sidecar, timeout=30.0)
    async with SidecarClient(asked) as client, AsyncExitStack() as undo:
        engine = await connect(EngineOptions(url=url))
        undo.push_async_callback(engine.close)
        return await Searcher(engine, client).search(index, body, options)


def weights(fusion: Mapping[str, float]) -> FusionWeights:
    """These weights, and 0 for every other signal."""
    none = {"listwise": 0.0, "query": 0.0, "rocchio": 0.0, "first_stage": 0.0}
    return FusionWeights(**{**none, **fusion})
