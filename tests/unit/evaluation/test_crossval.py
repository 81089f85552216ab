from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from evaluation.crossval import check_queries, cross_validate, folds, judge
from evaluation.significance import Values
from plugin.ranking.errors import SettingsError


def best(values: Mapping[int, Values]) -> int:
    return max(values, key=lambda one: float(values[one].mean()))


def test_every_query_is_in_one_fold_and_a_seed_gives_the_same_folds() -> None:
    made = folds(23, 5, seed=1)
    assert sorted(row for part in made for row in part) == list(range(23))
    assert {len(part) for part in made} == {4, 5}
    assert [part.tolist() for part in folds(23, 5, seed=1)] == [part.tolist() for part in made]
    assert [part.tolist() for part in folds(23, 5, seed=2)] != [part.tolist() for part in made]


def test_a_fold_is_judged_by_what_the_others_chose() -> None:
    # Only where row 7 takes part in choosing does candidate 1 look best.
    values = {0: np.full(20, 0.5), 1: np.full(20, 0.4)}
    values[1][7] = 9.0
    found = cross_validate(values, best, parts=4, seed=3)
    for fold in found.folds:
        assert fold.chosen == (0 if 7 in fold.rows else 1)
        np.testing.assert_array_equal(found.values[fold.rows], values[fold.chosen][fold.rows])


def test_luck_on_the_queries_chosen_on_is_not_in_the_figure() -> None:
    random = np.random.default_rng(5)
    values = {one: random.random(60) for one in range(2000)}
    tuned = values[best(values)].mean()
    held_out = cross_validate(values, best, parts=5, seed=1)
    assert tuned > 0.6
    assert abs(held_out.mean - 0.5) < 0.1
    verdict = judge(held_out.values, values[0], values[0])
    assert not verdict.taken


def test_what_is_better_on_queries_that_it_was_not_chosen_on_is_taken() -> None:
    random = np.random.default_rng(5)
    present = random.random(60)
    values = {0: present, 1: present + 0.05 + 0.02 * random.random(60)}
    verdict = judge(cross_validate(values, best, parts=5, seed=1).values, present - 0.1, present)
    assert verdict.taken
    assert verdict.versus_present.difference == pytest.approx(0.06, abs=0.01)
    assert verdict.versus_first_stage.difference == pytest.approx(0.16, abs=0.01)


@pytest.mark.parametrize(("count", "parts", "least"), [(19, 5, 20), (29, 15, 30)])
def test_too_few_queries_are_told_in_a_sentence(count: int, parts: int, least: int) -> None:
    with pytest.raises(SettingsError, match=f"{count} judged queries are too few .* {least}"):
        check_queries(count, parts)
    with pytest.raises(SettingsError, match="too few"):
        cross_validate({0: np.zeros(count)}, best, parts=parts, seed=1)
    check_queries(least, parts)
