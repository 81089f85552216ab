"""What the sidecar made of a window, as steps that an engine or a client can carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.rescore import Place, VectorClause, Weights, order_rescorer, vector_rescorer
from connectors.window import WindowHit
from plugin.ranking.hits import Status
from plugin.ranking.wire import RankAnswer


@dataclass(frozen=True, slots=True)
class ByVector:
    """Order by ``cos + first-stage weight·_score``, which the weights scale."""

    clause: VectorClause
    weights: Weights


@dataclass(frozen=True, slots=True)
class ByOrder:
    """These hits first, in this order."""

    places: tuple[Place, ...]


Step = ByVector | ByOrder


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the sidecar made of a window.

    ``steps`` are carried out one after the other. ``reasons`` say why it is only partly done;
    ``settled`` says by how much a cascade's head needed no LLM.
    """

    steps: tuple[Step, ...]
    model: str | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    settled: str | None = None

    @property
    def status(self) -> Status:
        """What the search will be."""
        return Status.PARTIAL if self.reasons else Status.RERANKED

    @property
    def reason(self) -> str | None:
        """What there is to say of it."""
        said = (*self.reasons, self.settled) if self.settled else self.reasons
        return "; ".join(said) or None


def rescorers(judgement: Judgement, hits: Sequence[WindowHit], window: int) -> list[dict[str, Any]]:
    """The steps as elements of a request's ``rescore`` list."""
    highest = highest_score(hits)
    made = []
    for step in judgement.steps:
        if isinstance(step, ByVector):
            made.append(vector_rescorer(step.clause, step.weights, window))
            highest = step.weights.query * highest + step.weights.rescore * 2
        elif step.places:
            made.append(order_rescorer(step.places, highest, window))
    return made


def highest_score(hits: Sequence[WindowHit]) -> float:
    """The best first-stage score."""
    return max(one.hit.score for one in hits)


def by_score(
    hits: Sequence[WindowHit], scores: Mapping[Place, float], weights: Weights
) -> list[WindowHit]:
    """``hits`` as a rescore by ``scores`` would have them; those it does not score have 0."""

    def fused(one: WindowHit) -> float:
        return weights.of(one.hit.score, scores.get(one.place, 0.0))

    return sorted(hits, key=fused, reverse=True)


def fused_scores(
    hits: Sequence[WindowHit], scores: Mapping[Place, float], weights: Weights
) -> list[float]:
    """Scores of the hits that have a vector."""
    scored = (one for one in hits if one.place in scores)
    return [weights.of(one.hit.score, scores[one.place]) for one in scored]


def by_place(hits: Sequence[WindowHit], places: Sequence[Place]) -> list[WindowHit]:
    """``hits``, those at ``places`` first."""
    rank = {place: number for number, place in enumerate(places)}
    return sorted(hits, key=lambda one: rank.get(one.place, len(rank)))


def moved(hits: Sequence[WindowHit], answer: RankAnswer) -> ByOrder:
    """The head up to the last hit that is not where it was; the rest stays in place by itself."""
    places = {one.hit.id: one.place for one in hits}
    before = [one.place for one in hits]
    after = [places[item.id] for item in answer.results]
    moved = [rank for rank, place in enumerate(after, start=1) if place != before[rank - 1]]
    return ByOrder(tuple(after[: max(moved, default=0)]))
