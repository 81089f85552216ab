from __future__ import annotations

import numpy as np
import pytest

from evaluation.signals import Table
from evaluation.tuning import FIRST_STAGE, DevSet, Prompt, Setting, choose, settings

PROMPT = Prompt("plain", 10, 3)
RELEVANT, OTHER = 1, 0


def made(queries: int, seed: int, **strength: float) -> Table:
    """Signals of 20 hits a query; each tells the relevant one apart as strongly as said."""
    random = np.random.default_rng(seed)
    names = ("listwise", "query", "rocchio", "first_stage")
    signals = random.normal(0.0, 0.05, (queries, 20, 4))
    signals[:, :, 3] *= 20  # the first stage is in deviations, not in cosines
    gains = np.zeros((queries, 20))
    gains[np.arange(queries), random.integers(0, 20, queries)] = 1.0
    for place, name in enumerate(names):
        scale = 1.0 if name == "first_stage" else 0.05
        signals[:, :, place] += gains * scale * strength.get(name, 0.0)
    return Table(signals, gains, np.ones(queries))


def dev(**strength: float) -> list[DevSet]:
    return [DevSet(f"set {seed}", {PROMPT: made(150, seed, **strength)}) for seed in (1, 2)]


def test_weights_are_multiples_that_sum_to_one_and_never_all_zero() -> None:
    found = list(settings([PROMPT]))
    assert len(found) == len(set(found)) == 15 * len(FIRST_STAGE)
    for setting in found:
        weights = setting.weights
        assert weights.listwise + weights.query + weights.rocchio == pytest.approx(1)


def test_prompts_that_a_setting_does_not_use_are_not_tried_twice() -> None:
    prompts = [Prompt(layout, hits, 3) for layout in ("a", "b") for hits in (5, 10)]
    found = list(settings(prompts))
    query_only = [one for one in found if one.family == ("query",)]
    with_first_stage = [one for one in found if one.family == ("query", "first_stage")]
    listwise_only = [one for one in found if one.family == ("listwise",)]
    assert len(query_only) == 1
    assert len(with_first_stage) == 2 * (len(FIRST_STAGE) - 1)
    assert len(listwise_only) == 4


def test_neighbours_are_of_the_same_family_and_one_step_away() -> None:
    middle = Setting(PROMPT, (1, 2, 1), 3)
    near = list(middle.neighbours())
    assert middle not in near
    assert {one.family for one in near} == {middle.family}
    assert {one.first_stage for one in near if one.cosines == middle.cosines} == {2, 4}
    for one in near:
        moved = np.abs(np.subtract(one.cosines, middle.cosines)).sum()
        assert moved + abs(one.first_stage - middle.first_stage) in {1, 2}
    # A weight that is zero stays zero, or the family would be another.
    assert list(Setting(PROMPT, (0, 4, 0), 0).neighbours()) == []


def test_a_signal_that_helps_is_chosen_with_the_one_it_helps() -> None:
    choice = choose(dev(query=1.5, first_stage=1.5), settings([PROMPT]))
    assert choice.chosen.setting.family == ("query", "first_stage")
    assert choice.tried == 15 * len(FIRST_STAGE)
    assert choice.peak.score >= choice.chosen.score


def test_how_flat_it_is_is_told_of_every_first_stage_weight() -> None:
    choice = choose(dev(query=1.5, first_stage=1.5), settings([PROMPT]))
    assert tuple(choice.by_first_stage) == FIRST_STAGE
    weight = choice.chosen.setting.weights.first_stage
    assert choice.by_first_stage[weight] == choice.chosen.score
    assert choice.by_first_stage[0.0] < choice.chosen.score


def test_what_does_not_help_is_left_out_though_it_costs_nothing_to_the_score() -> None:
    choice = choose(dev(query=2.0), settings([PROMPT]))
    assert choice.chosen.setting.family == ("query",)
    cheapest = choice.families[0]
    assert cheapest.chosen == choice.chosen
    assert cheapest.within_noise


def test_a_costly_signal_is_taken_where_it_is_worth_it() -> None:
    choice = choose(dev(listwise=3.0, query=0.5), settings([PROMPT]))
    assert "listwise" in choice.chosen.setting.family
    (query,) = (one for one in choice.families if one.chosen.setting.family == ("query",))
    assert not query.within_noise
    assert query.behind > 0


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="grid is empty"):
        choose(dev(), [])


def test_no_window_is_smaller_than_the_prompt_it_feeds() -> None:
    prompts = [Prompt("plain", hits, 3) for hits in (5, 20)]
    found = list(settings(prompts, windows=(10, 50)))
    assert len(found) == len(set(found))
    assert {(one.prompt.prompt_hits, one.window) for one in found} == {(5, 10), (5, 50), (20, 50)}
    for one in found:
        assert {near.window for near in one.neighbours()} <= {one.window}


def test_a_window_that_helps_is_chosen() -> None:
    table = made(150, seed=3, query=3.0)
    # Behind the tenth hit what looks relevant is not.
    late = table.gains[:, 10:].any(axis=1)
    gains = np.where(np.arange(20) < 10, table.gains, 0.0)
    kept = Table(table.signals[~late], gains[~late], table.ideal[~late])
    misled = np.array(kept.signals)
    misled[:, 10:, :] += 0.5
    sets = [DevSet("late", {PROMPT: Table(misled, kept.gains, kept.ideal)})]
    choice = choose(sets, settings([PROMPT], windows=(10, 20)))
    assert choice.chosen.setting.window == 10
