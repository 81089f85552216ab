"""The cascade: E2Rank's order, its head put in InsertRank's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.cascade import fallen_back, head_request, join, margin, settled
from plugin.ranking.hits import (
    Hit,
    Ranking,
    RankRequest,
    Status,
    Strategy,
    passed_through,
    ranked_by_score,
)
from plugin.ranking.insertrank import Answer, InsertRankOptions, plan
from tests.doubles import WordTokenizer


def llm_ranking(request: RankRequest, answer: str) -> Ranking:
    """What InsertRank makes of an LLM's only answer."""
    planned = plan(request, InsertRankOptions(), WordTokenizer())
    planned.advance()
    ranking = planned.advance([Answer(answer)])
    assert isinstance(ranking, Ranking)
    return ranking


HITS = tuple(Hit(name, float(10 - place), f"text of {name}") for place, name in enumerate("abcde"))


def first_ranking(scores: dict[str, float]) -> tuple[RankRequest, Ranking]:
    request = RankRequest("q", HITS, strategy=Strategy.CASCADE)
    return request, ranked_by_score(request, scores)


def test_the_head_is_what_e2rank_put_first_with_first_stage_scores() -> None:
    request, first = first_ranking({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})

    head = head_request(request, first, 2)

    assert [(hit.id, hit.score) for hit in head.hits] == [("e", 6.0), ("d", 7.0)]
    assert head.strategy is Strategy.INSERTRANK


def test_the_heads_order_stands_before_the_rest_and_scores_still_fall() -> None:
    request, first = first_ranking({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})
    head = llm_ranking(head_request(request, first, 3), "[3] > [1] > [2]")

    joined = join(first, head)

    assert joined.ids == ("c", "e", "d", "b", "a")
    assert [hit.score for hit in joined.hits] == [0.5, 0.4, 0.3, 0.2, 0.1]
    assert [hit.first_stage_rank for hit in joined.hits] == [3, 5, 4, 2, 1]
    assert (joined.status, joined.strategy) == (Status.RERANKED, Strategy.CASCADE)


def test_a_head_that_failed_leaves_e2ranks_order_and_says_so() -> None:
    request, first = first_ranking({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})

    joined = join(first, passed_through(head_request(request, first, 3), "deadline"))

    assert joined.ids == first.ids
    assert (joined.status, joined.reason) == (Status.PARTIAL, "head_passed_through:deadline")


@given(st.text(), st.integers(1, 7), st.dictionaries(st.sampled_from("abcde"), st.floats(-1, 1)))
def test_every_hit_comes_back_exactly_once(
    answer: str, size: int, scores: dict[str, float]
) -> None:
    request, first = first_ranking(scores)

    joined = join(first, llm_ranking(head_request(request, first, size), answer))

    assert sorted(joined.ids) == list("abcde")
    assert [hit.rank for hit in joined.hits] == [1, 2, 3, 4, 5]


def test_the_margin_is_the_firsts_lead_in_standard_deviations() -> None:
    _, first = first_ranking({"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 1.0})
    assert margin(first) == pytest.approx(2.5)  # 1 / 0.4
    _, close = first_ranking({"a": 0.0, "b": 0.1, "c": 0.2, "d": 0.9, "e": 1.0})
    assert 0 < margin(close) < margin(first)


def test_where_nothing_leads_there_is_no_margin() -> None:
    _, alike = first_ranking(dict.fromkeys("abcde", 0.5))
    _, alone = first_ranking({"a": 0.5})
    assert (margin(alike), margin(alone)) == (0, 0)


def test_a_settled_head_is_e2ranks_and_says_so() -> None:
    _, first = first_ranking({"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 1.0})
    left = settled(first, margin(first))
    assert left.ids == first.ids
    assert (left.status, left.strategy) == (Status.RERANKED, Strategy.CASCADE)
    assert left.reason == "head_settled:2.50"


def test_what_falls_back_names_both_steps() -> None:
    request, first = first_ranking({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})
    lost = replace(passed_through(request, "deadline"), strategy=Strategy.INSERTRANK)
    fallen = fallen_back(lost, replace(first, strategy=Strategy.E2RANK, reason="stale_vectors:1"))
    assert fallen.ids == first.ids
    assert fallen.status is Status.PARTIAL
    assert fallen.reason == "insertrank_lost:deadline; stale_vectors:1"
    assert fallen_back(lost, passed_through(request, "no_text")).status is Status.PASSED_THROUGH
