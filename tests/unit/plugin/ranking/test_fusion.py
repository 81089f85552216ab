"""One fused vector scores as the signals do one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.fusion import Standardiser, fuse, rocchio, unit
from plugin.ranking.hits import FusionWeights, Hit, Vector

WEIGHT = st.floats(0, 2)


def vectors(seed: int, count: int, dimensions: int = 8) -> list[Vector]:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return [unit(row) for row in rows]


@given(st.integers(0, 999), st.tuples(WEIGHT, WEIGHT, WEIGHT, WEIGHT).filter(any), st.data())
def test_the_fused_vector_gives_the_weighted_sum_up_to_a_constant(
    seed: int, weights: tuple[float, float, float, float], data: st.DataObject
) -> None:
    fusion = FusionWeights(*weights)
    listwise, query, mean, *documents = vectors(seed, 8)
    scores = [data.draw(st.floats(0, 50)) for _ in documents]
    z = Standardiser.of([Hit(str(place), score) for place, score in enumerate(scores)])
    signals = {"listwise": listwise, "query": query, "rocchio": mean}

    fused = fuse(fusion, signals, z)

    direct = [
        sum(fusion.as_dict()[name] * float(vector @ document) for name, vector in signals.items())
        + fusion.first_stage * z(score)
        for document, score in zip(documents, scores, strict=True)
    ]
    by_vector = [
        fused.scale * (float(fused.vector @ document) + fused.first_stage_weight * score)
        for document, score in zip(documents, scores, strict=True)
    ]
    offsets = np.subtract(direct, by_vector)
    assert np.ptp(offsets) < 1e-4 * max(1.0, *map(abs, direct))


@given(st.integers(0, 999))
def test_the_fused_vector_has_unit_length(seed: int) -> None:
    listwise, query = vectors(seed, 2)

    fused = fuse(FusionWeights(1, 0.5), {"listwise": listwise, "query": query}, Standardiser(0, 0))

    assert fused.vector.dtype == np.float32
    assert np.linalg.norm(fused.vector) == pytest.approx(1, abs=1e-6)


def test_without_a_vector_signal_only_the_first_stage_counts() -> None:
    weights = FusionWeights(listwise=0, first_stage=2)

    fused = fuse(weights, {"listwise": np.zeros(3, dtype=np.float32)}, Standardiser(5, 4))

    assert fused.vector.tolist() == [0, 0, 0]
    assert fused.first_stage_weight == 0.5


def test_standardised_scores_have_mean_zero_and_deviation_one() -> None:
    hits = [Hit("a", 12.0), Hit("b", 8.0), Hit("c", 4.0)]
    z = Standardiser.of(hits)

    values = [z(hit.score) for hit in hits]

    assert np.mean(values) == pytest.approx(0)
    assert np.std(values) == pytest.approx(1)


@pytest.mark.parametrize("scores", [[], [3.0], [7.0, 7.0], [1e9, 1e9 + 1e-4]])
def test_scores_that_do_not_vary_are_worth_nothing(scores: list[float]) -> None:
    z = Standardiser.of([Hit(str(place), score) for place, score in enumerate(scores)])

    assert z.slope == 0
    assert z(123.0) == 0


def test_rocchio_is_the_unit_mean_of_unit_vectors() -> None:
    query = np.array([3, 0], dtype=np.float32)
    feedback = [np.array([0, 5], dtype=np.float32)]

    assert rocchio(query, feedback).tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
    assert rocchio(query, []).tolist() == [1, 0]


def test_a_zero_vector_stays_zero() -> None:
    assert unit(np.zeros(2, dtype=np.float32)).tolist() == [0, 0]
