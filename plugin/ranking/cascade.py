"""Cascade: E2Rank over the window, InsertRank over its head; and E2Rank in InsertRank's place."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from plugin.ranking.hits import (
    Hit,
    RankedHit,
    Ranking,
    RankRequest,
    Status,
    Strategy,
    passed_through,
)

HEAD_SETTLED = "head_settled"


def head_request(request: RankRequest, first: Ranking, size: int) -> RankRequest:
    """InsertRank's request: the ``size`` best hits of ``first``, in its order.

    They keep their first-stage scores, which is what the prompt shows beside them.
    """
    head: tuple[Hit, ...] = tuple(ranked.hit for ranked in first.hits[:size])
    return replace(request, hits=head, strategy=Strategy.INSERTRANK, window=None)


def margin(first: Ranking) -> float:
    """By how many standard deviations of all scores E2Rank's first hit leads its second; ≥ 0."""
    return lead_of([ranked.score for ranked in first.hits if ranked.score is not None])


def lead_of(scores: Sequence[float]) -> float:
    """By how many standard deviations of ``scores``, which fall, the first leads the second.

    0 where there are no two, or all are the same. Scaling or moving all of them changes nothing.
    """
    spread = statistics.pstdev(scores) if len(scores) > 1 else 0.0
    return (scores[0] - scores[1]) / spread if spread else 0.0


def settled(first: Ranking, lead: float) -> Ranking:
    """E2Rank's order as the cascade's: ``lead`` says that its head needs no LLM."""
    reason = _joined(first.reason, f"{HEAD_SETTLED}:{lead:.2f}")
    return replace(first, strategy=Strategy.CASCADE, reason=reason)


def settled_before(head: RankRequest, lead: float) -> Ranking:
    """The head as the caller's own E2Rank had it, which ``lead`` says needs no LLM."""
    return passed_through(head, f"{HEAD_SETTLED}:{lead:.2f}")


def join(first: Ranking, head: Ranking) -> Ranking:
    """The head's order before the rest of ``first``: every hit exactly once.

    A head that was passed through leaves E2Rank's order and makes the ranking `partial`, with the
    head's reason.
    """
    if head.status is Status.PASSED_THROUGH:
        reason = f"head_passed_through:{head.reason}"
        return replace(first, strategy=Strategy.CASCADE, status=Status.PARTIAL, reason=reason)
    by_id = {ranked.hit.id: ranked for ranked in first.hits}
    order = [by_id.pop(id_) for id_ in head.ids] + list(by_id.values())
    # Scores have to fall with the rank: the head's hits share out the scores they had before.
    scores = iter([ranked.score for ranked in first.hits])
    ranked = tuple(
        RankedHit(item.hit, rank, next(scores), item.first_stage_rank, item.signals)
        for rank, item in enumerate(order, start=1)
    )
    reasons = _joined(first.reason, head.reason)
    status = Status.PARTIAL if reasons else first.status
    return Ranking(ranked, Strategy.CASCADE, status, reasons)


def fallen_back(lost: Ranking, instead: Ranking) -> Ranking:
    """``instead`` of a strategy that gave no order, with a reason that names both steps.

    It is `partial`: an order, and not the one that was asked for.
    """
    reason = _joined(f"{lost.strategy.value}_lost:{lost.reason}", instead.reason)
    passed = instead.status is Status.PASSED_THROUGH
    return replace(
        instead, status=Status.PASSED_THROUGH if passed else Status.PARTIAL, reason=reason
    )


def _joined(*reasons: str | None) -> str | None:
    return "; ".join(reason for reason in reasons if reason) or None
