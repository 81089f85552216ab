from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.collections import Collection
from evaluation.experiment import ranked_outcome
from evaluation.measures import MAIN, measure
from evaluation.memory import first_stage_hits, rank, with_vectors
from evaluation.runs import Run
from evaluation.signals import table
from evaluation.strategies import Variant
from evaluation.vectors import CachedEncoder
from plugin.ranking.hits import FusionWeights, Strategy

ALL = FusionWeights(1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    "weights",
    [
        FusionWeights(1.0),
        FusionWeights(0.0, query=1.0),
        FusionWeights(0.3, 0.2, 0.5, 0.1),
        FusionWeights(0.0, first_stage=1.0),
    ],
)
def test_the_table_agrees_with_the_core_and_with_ir_measures(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder, weights: FusionWeights
) -> None:
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    made = table(
        rank(tiny.queries, hits, Variant("all", Strategy.E2RANK, ALL), encoder), tiny.qrels
    )
    variant = Variant("some", Strategy.E2RANK, weights)
    outcome = ranked_outcome(variant, rank(tiny.queries, hits, variant, encoder), {})
    np.testing.assert_allclose(
        made.ndcg(weights), measure(tiny.qrels, outcome.run).values[MAIN], atol=1e-9
    )
    np.testing.assert_allclose(
        made.first_stage, measure(tiny.qrels, tiny_run).values[MAIN], atol=1e-9
    )


@pytest.mark.parametrize("window", [2, 3, 10])
def test_hits_beyond_the_window_follow_as_the_core_has_them(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder, window: int
) -> None:
    profile = replace(encoder.profile, prompt_hits=2)
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    every = Variant("all", Strategy.E2RANK, ALL)
    made = table(rank(tiny.queries, hits, every, encoder, profile=profile), tiny.qrels)
    weights = FusionWeights(0.3, 0.2, 0.5, 0.1)
    some = Variant("some", Strategy.E2RANK, weights)
    head = {query: found[:window] for query, found in hits.items()}
    ranked = ranked_outcome(some, rank(tiny.queries, head, some, encoder, profile=profile), {}).run
    whole = {
        query: [*found, *tiny_run[query][window:]] if query in tiny_run else found
        for query, found in ranked.items()
    }
    np.testing.assert_allclose(
        made.ndcg(weights, window), measure(tiny.qrels, whole).values[MAIN], atol=1e-9
    )
