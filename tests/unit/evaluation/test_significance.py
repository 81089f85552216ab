from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from evaluation.significance import bootstrap_interval, compare, holm

VALUES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 3)), min_size=2, max_size=12)


def test_all_signs_are_tried_where_they_are_few() -> None:
    found = compare(np.array([1.0, 1.0, 1.0]), np.zeros(3))
    # Of the 8 sign patterns only +++ and --- are as extreme.
    assert (found.p_value, found.resamples, found.exact) == (2 / 8, 8, True)
    assert (found.better, found.worse, found.difference) == (3, 0, 1.0)


def test_queries_that_do_not_differ_change_nothing() -> None:
    few = compare(np.array([1.0, 1.0, 1.0]), np.zeros(3))
    many = compare(np.array([1.0, 1.0, 1.0, *[0.5] * 50]), np.array([0.0] * 3 + [0.5] * 50))
    assert many.p_value == few.p_value


def test_equal_systems_differ_by_nothing() -> None:
    same = np.linspace(0, 1, 30)
    found = compare(same, same)
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


@given(values=VALUES)
def test_the_exact_test_is_scipys(values: list[float]) -> None:
    differences = np.array(values)
    expected = permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    found = compare(differences, np.zeros_like(differences))
    assert found.p_value == pytest.approx(expected.pvalue)


def test_the_sampled_test_is_near_a_normal_approximation_and_repeatable() -> None:
    random = np.random.default_rng(7)
    differences = random.normal(0.02, 0.2, 300)
    found = compare(differences, np.zeros(300))
    assert found == compare(differences, np.zeros(300))
    z = differences.sum() / np.sqrt((differences**2).sum())
    from scipy.stats import norm

    assert found.p_value == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)
    assert not found.exact


def test_the_interval_is_near_the_normal_one() -> None:
    differences = np.random.default_rng(7).normal(0.05, 0.1, 400)
    low, high = bootstrap_interval(differences)
    half = 1.96 * differences.std() / 20
    assert low == pytest.approx(differences.mean() - half, abs=0.002)
    assert high == pytest.approx(differences.mean() + half, abs=0.002)


@pytest.mark.parametrize("pair", [(np.zeros(2), np.zeros(3)), (np.zeros(0), np.zeros(0))])
def test_unpaired_values_are_refused(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="paired values"):
        compare(*pair)


def test_p_values_of_several_tests_are_raised_as_holm_does() -> None:
    # Worked out by hand: 4·0.005, 3·0.01, 2·0.03, 1·0.04 and never below one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
