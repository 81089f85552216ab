"""Hits, requests and rankings: one object a hit from fetch to response.

Parallel lists of ids, scores and texts are how rerankers get misaligned; nothing here has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.ranking.errors import RequestError

Vector: TypeAlias = npt.NDArray[np.float32]
"""Shape (dimensions,), float32."""


class Strategy(StrEnum):
    """How a window is put in order."""

    E2RANK = "e2rank"
    INSERTRANK = "insertrank"
    CASCADE = "cascade"
    NONE = "none"


class Status(StrEnum):
    """What became of a rerank; never silent."""

    RERANKED = "reranked"
    PARTIAL = "partial"
    PASSED_THROUGH = "passed_through"


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One document of a first-stage result.

    ``score`` is the engine's ``_score`` (finite). ``text`` is needed only where the hit enters a
    prompt or must be encoded; ``vector`` is the stored document vector, float32 (dimensions,).
    """

    id: str
    score: float
    text: str | None = None
    vector: Vector | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.score):
            raise RequestError(f"hit {self.id!r} has score {self.score}; send a finite number")


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of the signals of a score.

    A hit's score is ``listwise·cos + query·cos + rocchio·cos + first_stage·z``, where ``z`` is its
    first-stage score standardised over the prompt hits. The paper's setting is listwise only.
    """

    listwise: float = 1.0
    query: float = 0.0
    rocchio: float = 0.0
    first_stage: float = 0.0

    def __post_init__(self) -> None:
        values = self.as_dict().values()
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise RequestError(f"fusion weights must be finite and not negative: {self.as_dict()}")
        if not any(values):
            raise RequestError("all fusion weights are zero; give at least one signal a weight")

    def as_dict(self) -> dict[str, float]:
        """Signal name to weight, in the order of the formula."""
        return asdict(self)

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that carry weight."""
        return tuple(name for name, weight in self.as_dict().items() if weight)


SIGNALS = tuple(one.name for one in fields(FusionWeights))
"""Names of all signals, in the order of the formula."""


@dataclass(frozen=True, slots=True, eq=False)
class RankRequest:
    """A query and its first-stage hits, best first; ids are unique.

    ``window`` hits are put in order, the rest keep their places behind; None means all.
    ``head`` of E2Rank's first hits are ordered by the LLM in a cascade; None: as many as it may.
    ``prompt_hits``, ``instruction`` (of the listwise prompt) and ``fusion`` default to the model's
    own. Vectors are used only where ``vector_fingerprint`` equals the model's fingerprint.
    ``window_scores`` are E2Rank's, falling, where the caller did that half of a cascade itself.
    """

    query: str
    hits: tuple[Hit, ...]
    strategy: Strategy = Strategy.E2RANK
    window: int | None = None
    prompt_hits: int | None = None
    instruction: str | None = None
    fusion: FusionWeights | None = None
    vector_fingerprint: str | None = None
    head: int | None = None
    window_scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.query.strip():
            raise RequestError("the query is empty; send the text to rank for")
        if len({hit.id for hit in self.hits}) != len(self.hits):
            raise RequestError("two hits share an id; send every hit once")
        for name in ("window", "prompt_hits", "head"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RequestError(f"{name} is {value}; it must be at least 1")

    @property
    def windowed(self) -> tuple[Hit, ...]:
        """The hits to put in order."""
        return self.hits[: self.window]

    @property
    def beyond(self) -> tuple[Hit, ...]:
        """The hits behind the window, left as they are."""
        return () if self.window is None else self.hits[self.window :]


@dataclass(frozen=True, slots=True, eq=False)
class RankedHit:
    """A hit and its place; ranks count from 1.

    ``score`` is what the order is by: the fused score (e2rank), a share of 1 falling with the rank
    (insertrank), the first-stage score (passed through), or None where the hit was not scored and
    keeps its first-stage place behind those that were.
    """

    hit: Hit
    rank: int
    score: float | None
    first_stage_rank: int
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """An order over every hit of a request: each exactly once."""

    hits: tuple[RankedHit, ...]
    strategy: Strategy
    status: Status
    reason: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Hit ids, best first."""
        return tuple(ranked.hit.id for ranked in self.hits)


def _assemble(
    request: RankRequest,
    ordered: Iterable[Hit],
    score_of: Callable[[int, Hit], float | None],
    signals: Mapping[str, Mapping[str, float]],
) -> tuple[RankedHit, ...]:
    """Ranks for ``ordered`` first, then whatever of the request is left, in first-stage order."""
    places = {hit.id: place for place, hit in enumerate(request.hits, start=1)}
    head = list(ordered)
    seen = {hit.id for hit in head}
    tail = [hit for hit in request.hits if hit.id not in seen]
    return tuple(
        RankedHit(
            hit=hit,
            rank=rank,
            score=score_of(rank, hit) if rank <= len(head) else None,
            first_stage_rank=places[hit.id],
            signals=signals.get(hit.id, {}),
        )
        for rank, hit in enumerate([*head, *tail], start=1)
    )


def passed_through(request: RankRequest, reason: str) -> Ranking:
    """First-stage order, with the reason it was kept."""
    ranked = _assemble(request, request.hits, lambda _, hit: hit.score, {})
    return Ranking(ranked, request.strategy, Status.PASSED_THROUGH, reason)


def ranked_by_score(
    request: RankRequest,
    scores: Mapping[str, float],
    *,
    signals: Mapping[str, Mapping[str, float]] | None = None,
    reason: str | None = None,
) -> Ranking:
    """Order the window by ``scores`` (id → score), ties by first-stage rank.

    Window hits without a score keep first-stage order behind those with one; the ranking is then
    `partial`, and ``reason`` should say why.
    """
    scored = [hit for hit in request.windowed if hit.id in scores]
    scored.sort(key=lambda hit: -scores[hit.id])  # stable: ties keep first-stage order
    complete = len(scored) == len(request.windowed) and reason is None
    status = Status.RERANKED if complete else Status.PARTIAL
    ranked = _assemble(request, scored, lambda _, hit: scores[hit.id], signals or {})
    return Ranking(ranked, request.strategy, status, reason)


def ranked_by_order(
    request: RankRequest, ids: Iterable[str], *, reason: str | None = None
) -> Ranking:
    """Order the window by ``ids`` (each a hit of the window, once); the rest follows in order.

    ``reason`` marks the ranking `partial`.
    """
    by_id = {hit.id: hit for hit in request.windowed}
    ordered = [by_id.pop(id_) for id_ in ids]
    count = len(ordered)
    status = Status.RERANKED if reason is None and not by_id else Status.PARTIAL
    ranked = _assemble(request, ordered, lambda rank, _: (count + 1 - rank) / count, {})
    return Ranking(ranked, request.strategy, status, reason)
