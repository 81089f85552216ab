"""The native calls: a listwise vector, and an explicit order over every hit."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from plugin.ranking.hits import Strategy
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ListwiseAnswer, ListwiseCall, RankAnswer, RankCall, RankedItem
from plugin.sidecar.edge import CancellableRoute
from plugin.sidecar.errors import declared
from plugin.sidecar.sidecar import SidecarDependency, note

router = APIRouter(route_class=CancellableRoute, tags=["Native"])

_HITS = [
    {"id": "7", "score": 12.5, "text": "Opens a file and returns a stream."},
    {"id": "3", "score": 11.2, "text": "Reads a whole file as text."},
]
_QUERY: dict[str, Any] = {"query": "read a text file", "hits": _HITS}
_ERRORS = declared(401, 413, 422, 429, 503)

ListwiseBody = Annotated[ListwiseCall, Body(examples=[_QUERY, {**_QUERY, "deadline_ms": 300}])]
RankBody = Annotated[
    RankCall,
    Body(examples=[_QUERY, {**_QUERY, "strategy": "e2rank", "window": 2, "explain": True}]),
]


@router.post("/v1/listwise", summary="The vector that an engine's rescore needs", responses=_ERRORS)
async def listwise(
    body: ListwiseBody, request: Request, sidecar: SidecarDependency
) -> ListwiseAnswer:
    """E2Rank's fast path: one forward pass over the query and the prompt hits.

    A model that fails or is late gives `vector: null` with status `passed_through` and its reason:
    leave the request as it was.
    """
    sidecar.bounded(len(body.hits))
    call = sidecar.call(request, body.deadline_ms)
    answer = await sidecar.ranker.listwise(body.to_request(), body.dimensions, call)
    note(request, call, Strategy.E2RANK, answer.status, answer.reason)
    return ListwiseAnswer(
        vector=None if answer.vector is None else to_base64(answer.vector),
        first_stage_weight=answer.first_stage_weight,
        status=answer.status,
        reason=answer.reason,
        model=sidecar.model_info(body.dimensions),
        signals=answer.signals,
        timings_ms=call.timings(),
        usage=call.usage(),
    )


@router.post("/v1/rank", summary="An order over every hit", responses=_ERRORS)
async def rank(body: RankBody, request: Request, sidecar: SidecarDependency) -> RankAnswer:
    """Rank by the strategy asked for; every hit sent comes back exactly once.

    A model that fails or is late leaves the first-stage order, with status `passed_through`.
    """
    sidecar.bounded(len(body.hits))
    call = sidecar.call(request, body.deadline_ms)
    if body.llm_deadline_ms is not None:
        call.llm_seconds = body.llm_deadline_ms / 1000
    wanted = replace(body.to_request(), strategy=body.strategy or sidecar.options.strategy)
    ranking = await sidecar.ranker.rank(wanted, body.dimensions, call)
    note(request, call, ranking.strategy, ranking.status, ranking.reason)
    return RankAnswer(
        results=[RankedItem.of(hit, explain=body.explain) for hit in ranking.hits],
        status=ranking.status,
        reason=ranking.reason,
        strategy=ranking.strategy,
        model=sidecar.model_info(body.dimensions),
        timings_ms=call.timings(),
        usage=call.usage(),
        prompts=call.prompts if body.explain and call.prompts else None,
    )
