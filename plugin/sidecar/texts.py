"""Rankings of bare texts, as other rerankers' calls have them: no ids, no first-stage scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from plugin.ranking.errors import RequestTooLarge
from plugin.ranking.hits import (
    FusionWeights,
    Hit,
    RankedHit,
    Ranking,
    RankRequest,
    Status,
    Strategy,
    passed_through,
)
from plugin.sidecar.call import Call
from plugin.sidecar.sidecar import Sidecar, note


@dataclass(frozen=True, slots=True)
class RankedText:
    """A text's place in the request, its score (0 to 1), and its fused score where it has one."""

    index: int
    score: float
    raw: float


async def rank_texts(
    sidecar: Sidecar, request: Request, call: Call, query: str, texts: Sequence[str]
) -> list[RankedText]:
    """Every text, best first; scores never rise from one to the next.

    A model that fails leaves the order sent, with scores that fall by equal steps, because such
    calls' clients sort by score; the answer's headers tell.

    Raises:
        RequestError: the query is empty, or there are too many texts.
        Overloaded: the admission rule refused it.
    """
    sidecar.bounded(len(texts))
    hits = tuple(Hit(str(place), 0.0, text) for place, text in enumerate(texts) if text.strip())
    wanted = RankRequest(query, hits, sidecar.options.strategy)
    ranking = await _rank(sidecar, wanted, call) if hits else passed_through(wanted, "no_text")
    empty = len(texts) - len(hits)
    reason = ranking.reason or (f"no_text:{empty}" if empty else None)
    status = Status.PARTIAL if ranking.status is Status.RERANKED and reason else ranking.status
    note(request, call, ranking.strategy, status, reason)
    if status is Status.PASSED_THROUGH:
        return [
            RankedText(place, 1 - place / len(texts), 1 - place / len(texts))
            for place in range(len(texts))
        ]
    weights = sidecar.ranker.profile.fusion
    ranked = [_ranked_text(hit, ranking.strategy, weights) for hit in ranking.hits]
    lowest = min(0.0, *(text.raw for text in ranked))
    blank = [RankedText(place, 0.0, lowest) for place, text in enumerate(texts) if not text.strip()]
    return ranked + blank


async def _rank(sidecar: Sidecar, wanted: RankRequest, call: Call) -> Ranking:
    """The ranking; a query too long for the model leaves the order sent, as these clients' do."""
    try:
        return await sidecar.ranker.rank(wanted, None, call)
    except RequestTooLarge:
        return passed_through(wanted, "query_too_long")


def _ranked_text(ranked: RankedHit, strategy: Strategy, weights: FusionWeights) -> RankedText:
    score = ranked.score or 0.0
    if ranked.score is not None and strategy is not Strategy.INSERTRANK:
        score = unit_score(ranked.score, weights)
    return RankedText(int(ranked.hit.id), score, ranked.score or 0.0)


def unit_score(fused: float, weights: FusionWeights) -> float:
    """A fused score as a mean cosine c, and that as (1 + c) / 2: between 0 and 1, never negative.

    Texts without first-stage scores have no first-stage signal, so its weight does not count.
    """
    total = weights.listwise + weights.query + weights.rocchio
    cosine = fused / total if total else 0.0
    return (1 + min(1.0, max(-1.0, cosine))) / 2
