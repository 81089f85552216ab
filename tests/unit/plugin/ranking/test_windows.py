"""Several prompts for one window: what is asked, and that nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.windows import Window, WindowMode, planned, rounds_of

Answer = Callable[[Window], Window]


def played(
    count: int, size: int, stride: int, mode: WindowMode, answer: Answer
) -> tuple[Window, list[tuple[Window, ...]]]:
    """The order in the end, and the rounds that led to it."""
    rounds, asked = rounds_of(count, size, stride, mode), []
    try:
        asked.append(next(rounds))
        while True:
            asked.append(rounds.send([answer(window) for window in asked[-1]]))
    except StopIteration as done:
        order: Window = done.value
        return order, asked


def by_worth(worth: dict[int, int]) -> Answer:
    return lambda window: tuple(sorted(window, key=lambda place: worth[place]))


def test_sliding_goes_from_the_last_places_to_the_first() -> None:
    windows = planned(10, 4, 2, WindowMode.SLIDING)

    assert windows == [(6, 7, 8, 9), (4, 5, 6, 7), (2, 3, 4, 5), (0, 1, 2, 3)]


def test_the_first_places_are_seen_where_the_stride_does_not_meet_them() -> None:
    windows = planned(9, 4, 3, WindowMode.SLIDING)

    assert windows == [(5, 6, 7, 8), (2, 3, 4, 5), (0, 1, 2, 3)]


def test_sliding_carries_the_best_from_the_end_to_the_top() -> None:
    order, _ = played(30, 6, 3, WindowMode.SLIDING, lambda window: tuple(reversed(window)))

    assert order[:3] == (29, 28, 27)


def test_a_tournaments_groups_stand_side_by_side_and_its_best_come_first() -> None:
    worth = {place: (place * 7) % 40 for place in range(40)}
    order, asked = played(40, 10, 5, WindowMode.TOURNAMENT, by_worth(worth))

    assert [len(windows) for windows in asked] == [4, 2, 1]
    assert [worth[place] for place in order[:5]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("mode", list(WindowMode))
def test_what_one_prompt_holds_is_one_prompt(mode: WindowMode) -> None:
    assert planned(20, 20, 10, mode) == [tuple(range(20))]
    assert len(planned(21, 20, 10, mode)) > 1


@pytest.mark.parametrize("mode", list(WindowMode))
def test_nothing_is_asked_about_nothing(mode: WindowMode) -> None:
    assert planned(0, 20, 10, mode) == []


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (4, 0), (4, 4), (0, 0)])
def test_windows_that_do_not_overlap_are_no_plan(size: int, stride: int) -> None:
    with pytest.raises(ValueError, match="cannot be moved"):
        rounds_of(10, size, stride, WindowMode.SLIDING)


@given(st.data(), st.integers(0, 120), st.integers(2, 30), st.sampled_from(WindowMode))
def test_every_place_is_seen_and_comes_back_exactly_once(
    data: st.DataObject, count: int, size: int, mode: WindowMode
) -> None:
    stride = data.draw(st.integers(1, size - 1))
    shuffle = data.draw(st.randoms(use_true_random=False))

    order, asked = played(
        count, size, stride, mode, lambda window: tuple(shuffle.sample(window, len(window)))
    )

    assert sorted(order) == list(range(count))
    assert {place for windows in asked for window in windows for place in window} == set(order)
    for windows in asked:
        together = [place for window in windows for place in window]
        assert len(set(together)) == len(together)  # else they would depend on each other
        assert all(len(window) <= size for window in windows)
    assert len(asked) <= max(1, count)


@given(st.integers(0, 120), st.integers(2, 30), st.sampled_from(WindowMode), st.data())
def test_answers_that_change_nothing_keep_the_first_stages_order(
    count: int, size: int, mode: WindowMode, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, size - 1))

    order, _ = played(count, size, stride, mode, lambda window: window)

    assert order == tuple(range(count))


@given(st.permutations(range(45)), st.integers(2, 50), st.sampled_from(WindowMode))
def test_an_llm_that_always_knows_finds_the_best(
    worths: list[int], size: int, mode: WindowMode
) -> None:
    worth = dict(enumerate(worths))

    order, _ = played(45, size, max(1, size // 2), mode, by_worth(worth))

    assert worth[order[0]] == 0
