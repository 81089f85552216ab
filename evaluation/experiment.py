"""Strategies against each other on one collection: what was returned, how good, how sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connectors.engine import Engine
from connectors.sidecar import SidecarClient
from evaluation import engine as through_engine
from evaluation import memory
from evaluation.collections import Collection
from evaluation.measures import DEPTH, MAIN, Scores, measure
from evaluation.memory import Track, untracked
from evaluation.runs import Run, ScoredDocument
from evaluation.significance import Comparison, compare, holm
from evaluation.strategies import NONE, Variant, signals_of
from evaluation.vectors import CachedEncoder
from plugin.ranking.hits import Ranking, Strategy

NO_HITS = "no_hits"


class Through(StrEnum):
    """How strategies are run: by real searches, or by the core over a first stage's run."""

    ENGINE = "engine"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one strategy returned for every query.

    ``statuses`` counts `reranked`, `partial` and `passed_through`; ``reasons`` why. ``timings_ms``
    holds milliseconds by stage, one mapping a query; empty in memory.
    """

    variant: Variant
    run: Run
    signals: Mapping[str, float]
    statuses: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Sequence[Mapping[str, float]] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome, measured; ``versus_none`` and ``versus_query`` compare nDCG@10.

    ``p_holm`` is the p-value against `none`, raised for how many strategies were tested so.
    """

    outcome: Outcome
    scores: Scores
    versus_none: Comparison | None
    versus_query: Comparison | None
    p_holm: float | None = None


def judge(
    collection: Collection,
    outcomes: Sequence[Outcome],
    *,
    depth: int = DEPTH,
    track: Track = untracked,
) -> list[Result]:
    """Measure ``outcomes`` and compare each with `none` and with `query`, where those are there.

    Runs are ``depth`` documents deep.
    """
    scored = {one.variant.label: measure(collection.qrels, one.run, depth) for one in outcomes}
    advance = track("Testing the differences", len(outcomes))

    def versus(label: str, baseline: str) -> Comparison | None:
        if baseline not in scored or label in {baseline, NONE.label}:
            return None
        return compare(scored[label].values[MAIN], scored[baseline].values[MAIN])

    results = []
    for one in outcomes:
        label = one.variant.label
        none, query = versus(label, "none"), versus(label, "query")
        results.append(Result(one, scored[label], versus_none=none, versus_query=query))
        advance(1)
    return _side_by_side(results)


def _side_by_side(results: list[Result]) -> list[Result]:
    tested = [one.versus_none.p_value for one in results if one.versus_none is not None]
    raised = iter(holm(tested))
    return [
        one if one.versus_none is None else replace(one, p_holm=next(raised)) for one in results
    ]


def leaders(results: Sequence[Result]) -> list[Result]:
    """Of every strategy that is not `none` the best of its windows and prompt hits."""
    best: dict[str, Result] = {}
    for one in results:
        variant = one.outcome.variant
        known = best.get(variant.family)
        if variant.strategy is Strategy.NONE:
            continue
        if known is None or one.scores.means[MAIN] > known.scores.means[MAIN]:
            best[variant.family] = one
    return list(best.values())


def in_memory(
    collection: Collection,
    run: Run,
    variants: Sequence[Variant],
    encoder: CachedEncoder | None,
    *,
    k: int,
    track: Track = untracked,
) -> list[Outcome]:
    """Rank the first ``k`` of ``run`` by every variant, with the core; `none` needs no encoder.

    Raises:
        SettingsError: the run is not of this collection, or a strategy needs an LLM.
    """
    hits = memory.first_stage_hits(collection, run, k)
    if encoder is None:
        return [_first_stage(variant, hits) for variant in variants]
    full = memory.with_vectors(hits, encoder, track)
    return [
        _first_stage(variant, hits)
        if variant.strategy is Strategy.NONE
        else ranked_outcome(
            variant,
            memory.rank(collection.queries, full, variant, encoder, track=track),
            signals_of(variant, encoder.profile.fusion),
        )
        for variant in variants
    ]


def _first_stage(variant: Variant, hits: memory.Hits) -> Outcome:
    run = {
        query: [ScoredDocument(hit.id, hit.score) for hit in found] for query, found in hits.items()
    }
    return Outcome(variant, run, {})


def ranked_outcome(
    variant: Variant, rankings: Mapping[str, Ranking], signals: Mapping[str, float]
) -> Outcome:
    """The outcome of rankings made in memory; hits without a score rank last."""
    run = {
        query: [
            # Unscored hits follow those with a score; their own score says only that.
            ScoredDocument(one.hit.id, -float(one.rank) if one.score is None else one.score)
            for one in ranking.hits
        ]
        for query, ranking in rankings.items()
    }
    return Outcome(
        variant,
        run,
        signals,
        statuses=Counter(ranking.status.value for ranking in rankings.values()),
        reasons=Counter(ranking.reason for ranking in rankings.values() if ranking.reason),
    )


async def through_searches(
    engine: Engine,
    sidecar: SidecarClient,
    searched: through_engine.Searched,
    collection: Collection,
    variants: Sequence[Variant],
    *,
    k: int,
    track: Track = untracked,
) -> list[Outcome]:
    """Search for every query by every variant, as users do.

    Raises:
        EngineError: the engine failed.
        SidecarError: the sidecar cannot say which model it serves.
    """
    card = await sidecar.model()
    default = card.fusion.to_weights() if card.fusion else None
    outcomes: list[Outcome] = []
    for variant in variants:
        results = await through_engine.search_all(
            engine, sidecar, searched, collection, variant, k=k, track=track
        )
        none = variant.strategy is Strategy.NONE
        found = results.values()
        outcomes.append(
            Outcome(
                variant,
                {query: through_engine.documents_of(one) for query, one in results.items()},
                signals_of(variant, default),
                statuses={} if none else Counter(one.status.value for one in found),
                reasons={} if none else Counter(one.reason for one in found if one.reason),
                timings_ms=[one.timings_ms for one in found],
            )
        )
    return outcomes


def unranked(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Reason → searches that were passed through or partly ranked, over all strategies.

    A query that finds nothing leaves nothing to rerank; it is not among them.
    """
    found: Counter[str] = Counter()
    for outcome in outcomes:
        found.update(outcome.reasons)
    del found[NO_HITS]
    return dict(found)
