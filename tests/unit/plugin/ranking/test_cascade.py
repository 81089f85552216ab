"""The cascade: E2Rank's order, its head put in InsertRank's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.cascade import head_request, join
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
