"""First-token decoding: probabilities of letters become an order."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.first_token import LETTERS, most_hits, permutation, single_tokens
from plugin.ranking.hits import Hit, Ranking, RankRequest, Status, Strategy
from plugin.ranking.insertrank import Answer, InsertRankOptions, Plan, plan
from plugin.ranking.llm_prompt import Decoding, PromptOptions
from plugin.ranking.permutation import Outcome
from tests.doubles import WordTokenizer

ABC = ("A", "B", "C")


def test_the_likeliest_letter_comes_first() -> None:
    read = permutation(ABC, [("B", -0.1), ("A", -3.0), ("C", -2.5)])

    assert (read.order, read.outcome) == ((1, 2, 0), Outcome.CLEAN)


def test_forms_of_a_letter_count_together() -> None:
    halves = [("\u0120B", math.log(0.3)), ("B", math.log(0.3)), ("[B", math.log(0.05))]

    read = permutation(ABC, [("A", math.log(0.5)), *halves, ("\u2581C", -9)])

    assert read.order == (1, 0, 2)


def test_letters_the_server_does_not_tell_of_follow_as_they_were_shown() -> None:
    read = permutation(LETTERS[:6], [("E", -0.5), ("C", -1.0), ("The", -2.0), ("Z", -3.0)])

    assert read.order == (4, 2, 0, 1, 3, 5)
    assert (read.outcome, read.missing, read.stated) == (Outcome.REPAIRED, 4, (4, 2))


def test_ties_stand_as_they_were_shown() -> None:
    assert permutation(ABC, [("C", -1.0), ("B", -1.0), ("A", -1.0)]).order == (0, 1, 2)


@pytest.mark.parametrize(
    "logprobs",
    [[], [("The", -0.1)], [("a", -0.1)], [("AB", 0.0)], [("A", math.nan)], [("A", math.inf)]],
)
def test_nothing_usable_keeps_the_order_shown(logprobs: list[tuple[str, float]]) -> None:
    read = permutation(ABC, logprobs)

    assert (read.order, read.outcome) == ((0, 1, 2), Outcome.UNUSABLE)


def test_as_good_as_never_is_still_an_order() -> None:
    read = permutation(ABC, [("A", -9999.0), ("B", -math.inf), ("C", -0.0)])

    assert (read.order, read.outcome) == ((2, 0, 1), Outcome.CLEAN)


def test_only_letters_of_one_token_are_used() -> None:
    assert single_tokens(ABC, lambda letter: 2 if letter == "B" else 1) == ("A", "C")


@pytest.mark.parametrize(("told", "hits"), [(None, 52), (20, 20), (100, 52)])
def test_a_prompt_holds_no_more_hits_than_are_told_of(told: int | None, hits: int) -> None:
    assert most_hits(LETTERS, told) == hits


@given(
    st.integers(0, 52),
    st.lists(st.tuples(st.sampled_from(LETTERS) | st.text(max_size=3), st.floats())),
)
def test_every_passage_comes_back_once(count: int, logprobs: list[tuple[str, float]]) -> None:
    read = permutation(LETTERS[:count], logprobs)

    assert sorted(read.order) == list(range(count))
    assert (read.outcome is Outcome.UNUSABLE) == (not read.stated)


HITS = tuple(Hit(f"d{place}", float(-place), f"text {place}") for place in range(7))


def planned(hits: int, **options: int) -> Plan:
    request = RankRequest("q", HITS[:hits], strategy=Strategy.INSERTRANK)
    asking = InsertRankOptions(PromptOptions(decoding=Decoding.FIRST_TOKEN), **options)
    return plan(request, asking, WordTokenizer())


def test_the_plan_reads_letters() -> None:
    asked = planned(3)
    asked.advance()

    ranking = asked.advance([Answer(first_token=(("C", -0.1), ("A", -1.0), ("B", -2.0)))])

    assert isinstance(ranking, Ranking)
    assert ranking.ids == ("d2", "d0", "d1")
    assert ranking.status is Status.RERANKED


def test_a_server_without_probabilities_still_says_which_is_best() -> None:
    asked = planned(3)
    asked.advance()

    ranking = asked.advance([Answer(" B.")])

    assert isinstance(ranking, Ranking)
    assert ranking.ids == ("d1", "d0", "d2")
    assert ranking.reason == "llm_answer_repaired:missing=2"


def test_windows_are_no_larger_than_what_the_server_tells_of() -> None:
    asked = planned(7, top_logprobs=3)
    step = asked.advance()
    while not isinstance(step, Ranking):
        assert all(prompt.identifiers == ABC for prompt in step)
        step = asked.advance(
            [Answer(first_token=(("C", -0.1), ("B", -1.0), ("A", -2.0)))] * len(step)
        )

    assert step.status is Status.RERANKED
    assert step.ids[0] == "d6"
