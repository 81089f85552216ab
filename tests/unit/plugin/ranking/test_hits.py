"""Every hit comes back exactly once, in the order asked, with its first-stage place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.errors import RequestError
from plugin.ranking.hits import (
    FusionWeights,
    Hit,
    RankRequest,
    Status,
    passed_through,
    ranked_by_order,
    ranked_by_score,
)

IDS = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=20, unique=True)
WINDOWS = st.none() | st.integers(1, 25)


def request(ids: list[str], window: int | None = None) -> RankRequest:
    hits = tuple(Hit(id_, float(len(ids) - place)) for place, id_ in enumerate(ids))
    return RankRequest("query", hits, window=window)


@given(IDS, WINDOWS, st.data())
def test_by_score_every_hit_comes_back_once_and_the_window_stays_in_front(
    ids: list[str], window: int | None, data: st.DataObject
) -> None:
    asked = request(ids, window)
    head = [hit.id for hit in asked.windowed]
    scores = data.draw(st.dictionaries(st.sampled_from(head), st.floats(-1, 1)))

    ranking = ranked_by_score(asked, scores)

    assert sorted(ranking.ids) == sorted(ids)
    assert sorted(ranking.ids[: len(head)]) == sorted(head)
    assert ranking.ids[len(head) :] == tuple(ids[len(head) :])
    assert [hit.rank for hit in ranking.hits] == list(range(1, len(ids) + 1))
    assert all(ids[hit.first_stage_rank - 1] == hit.hit.id for hit in ranking.hits)


@given(IDS, WINDOWS, st.data())
def test_by_order_every_hit_comes_back_once(
    ids: list[str], window: int | None, data: st.DataObject
) -> None:
    asked = request(ids, window)
    head = [hit.id for hit in asked.windowed]
    order = data.draw(st.permutations(head))[: data.draw(st.integers(1, len(head)))]

    ranking = ranked_by_order(asked, order)

    assert sorted(ranking.ids) == sorted(ids)
    assert ranking.ids[: len(order)] == tuple(order)
    scores = [hit.score for hit in ranking.hits[: len(order)]]
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
    assert scores[0] == 1.0


def test_ties_keep_first_stage_order() -> None:
    ranking = ranked_by_score(request(["a", "b", "c"]), {"c": 0.5, "b": 0.5, "a": 0.1})

    assert ranking.ids == ("b", "c", "a")
    assert ranking.status is Status.RERANKED


def test_hits_without_a_score_follow_in_first_stage_order_and_the_ranking_is_partial() -> None:
    ranking = ranked_by_score(request(["a", "b", "c"]), {"c": 0.5})

    assert ranking.ids == ("c", "a", "b")
    assert [hit.score for hit in ranking.hits] == [0.5, None, None]
    assert ranking.status is Status.PARTIAL


def test_hits_beyond_the_window_carry_no_score_and_do_not_make_it_partial() -> None:
    ranking = ranked_by_score(request(["a", "b", "c"], window=2), {"a": 0.1, "b": 0.5})

    assert ranking.ids == ("b", "a", "c")
    assert ranking.hits[-1].score is None
    assert ranking.status is Status.RERANKED


def test_passing_through_keeps_order_and_first_stage_scores_and_says_why() -> None:
    ranking = passed_through(request(["a", "b"]), "deadline")

    assert [(hit.hit.id, hit.score) for hit in ranking.hits] == [("a", 2.0), ("b", 1.0)]
    assert (ranking.status, ranking.reason) == (Status.PASSED_THROUGH, "deadline")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_hit_needs_a_finite_score(score: float) -> None:
    with pytest.raises(RequestError, match="finite"):
        Hit("a", score)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"query": " "}, "query is empty"),
        ({"hits": (Hit("a", 1.0), Hit("a", 2.0))}, "share an id"),
        ({"window": 0}, "window is 0"),
        ({"prompt_hits": 0}, "prompt_hits is 0"),
    ],
)
def test_a_request_out_of_form_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        RankRequest(**{"query": "q", "hits": (Hit("a", 1.0),), **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf])
def test_fusion_weights_are_finite_and_not_negative(weight: float) -> None:
    with pytest.raises(RequestError, match="not negative"):
        FusionWeights(listwise=weight)


def test_some_signal_must_carry_weight() -> None:
    with pytest.raises(RequestError, match="at least one signal"):
        FusionWeights(listwise=0.0)


def test_signals_are_those_with_weight() -> None:
    assert FusionWeights(listwise=0.5, first_stage=0.1).signals == ("listwise", "first_stage")
