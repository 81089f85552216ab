"""InsertRank as a whole: prompts out, answers in, a ranking at the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.hits import Hit, Ranking, RankRequest, Status, Strategy
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.insertrank import Answer, InsertRankOptions, Plan, Prompt, plan
from plugin.ranking.llm_prompt import PromptOptions
from plugin.ranking.windows import WindowMode
from tests.doubles import WordTokenizer

HITS = (
    Hit("a", 12.5, "Parquet files store columns."),
    Hit("b", 7.5, "CSV files store\n rows."),
    Hit("c", 2.5, "A lighthouse stores nothing."),
)
Answering = Callable[[Prompt], Answer]


def request(hits: tuple[Hit, ...] = HITS, window: int | None = None) -> RankRequest:
    return RankRequest("columnar storage", hits, strategy=Strategy.INSERTRANK, window=window)


def many(count: int) -> tuple[Hit, ...]:
    return tuple(Hit(f"d{place}", float(-place), f"text {place}") for place in range(count))


def ranked(
    request_: RankRequest, answering: Answering, options: InsertRankOptions | None = None
) -> tuple[Ranking, Plan]:
    planned = plan(request_, options or InsertRankOptions(), WordTokenizer())
    step = planned.advance()
    while not isinstance(step, Ranking):
        step = planned.advance([answering(prompt) for prompt in step])
    return step, planned


def ranking(request_: RankRequest, answer: str, *, cut: bool = False) -> Ranking:
    return ranked(request_, lambda _: Answer(answer, cut=cut))[0]


def numbers_of(prompt: Prompt, wanted: tuple[int, ...]) -> str:
    """The answer that puts the prompt's hits into the order of ``wanted`` places."""
    return " > ".join(f"[{prompt.shown.index(place) + 1}]" for place in wanted)


def test_only_the_window_is_shown_and_ordered() -> None:
    answer, asked = ranked(request(window=2), lambda _: Answer("[2] > [1]"))

    assert "lighthouse" not in asked.exchanges[0].prompt.messages[1].content
    assert answer.ids == ("b", "a", "c")


def test_the_answer_becomes_the_order() -> None:
    answer = ranking(request(), "[3] > [1] > [2]")

    assert answer.ids == ("c", "a", "b")
    assert answer.status is Status.RERANKED
    assert [hit.score for hit in answer.hits] == pytest.approx([1.0, 2 / 3, 1 / 3])


@pytest.mark.parametrize("order", list(InitialOrder))
def test_the_answer_is_mapped_back_from_the_order_that_was_shown(order: InitialOrder) -> None:
    options = InsertRankOptions(PromptOptions(initial_order=order))

    answer, asked = ranked(request(), lambda prompt: Answer(numbers_of(prompt, (1, 2, 0))), options)

    assert answer.ids == ("b", "c", "a")
    shown = asked.exchanges[0].prompt.messages[1].content
    for number, place in enumerate(asked.exchanges[0].prompt.shown, start=1):
        assert f"[{number}] (BM25 {HITS[place].score:.2f}) " in shown


def test_what_a_reversed_answer_leaves_out_follows_in_first_stage_order() -> None:
    options = InsertRankOptions(PromptOptions(initial_order=InitialOrder.REVERSED))

    answer, _ = ranked(request(many(5)), lambda _: Answer("[3]"), options)

    assert answer.ids == ("d2", "d0", "d1", "d3", "d4")


def test_an_answer_that_leaves_passages_out_is_partial() -> None:
    answer = ranking(request(), "[3]")

    assert answer.ids == ("c", "a", "b")
    assert (answer.status, answer.reason) == (Status.PARTIAL, "llm_answer_repaired:missing=2")


def test_numbers_that_were_ignored_are_told_of() -> None:
    answer = ranking(request(), "[3] and [9] first: [3] > [1] > [2]")

    assert answer.ids == ("c", "a", "b")
    assert answer.status is Status.PARTIAL
    assert answer.reason == "llm_answer_repaired:repeated=1,out_of_range=1"


@pytest.mark.parametrize(("answer", "cut"), [("[3] > [1", False), ("[3] > ", False), ("[3]", True)])
def test_a_truncated_answer_is_partial_and_says_so(answer: str, cut: bool) -> None:
    read = ranking(request(), answer, cut=cut)

    assert read.ids == ("c", "a", "b")
    assert (read.status, read.reason) == (Status.PARTIAL, "llm_answer_truncated:missing=2")


def test_a_truncated_answer_that_named_every_passage_lacks_nothing() -> None:
    assert ranking(request(), "[3] > [1] > [2]\n\nThat is bec", cut=True).reason is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("no idea", "llm_answer_unusable"), ("<think>[1] > [2", "llm_answer_truncated")],
)
def test_an_unusable_answer_passes_through(answer: str, reason: str) -> None:
    read = ranking(request(), answer)

    assert read.ids == ("a", "b", "c")
    assert (read.status, read.reason) == (Status.PASSED_THROUGH, reason)


@pytest.mark.parametrize("text", [None, "", " \n "])
def test_a_hit_without_text_follows_those_that_have_one(text: str | None) -> None:
    hits = (HITS[0], Hit("silent", 9.5, text), *HITS[1:])

    read, asked = ranked(request(hits), lambda _: Answer("[3] > [1] > [2]"))

    assert [hit.id for hit in asked.hits] == ["a", "b", "c"]
    assert read.ids == ("c", "a", "b", "silent")
    assert (read.status, read.reason) == (Status.PARTIAL, "no_text:1")


def test_where_no_hit_has_a_text_nothing_is_asked() -> None:
    read, asked = ranked(request((Hit("a", 2.0), Hit("b", 1.0, ""))), lambda _: Answer("[1]"))

    assert asked.exchanges == []
    assert read.ids == ("a", "b")
    assert (read.status, read.reason) == (Status.PASSED_THROUGH, "no_text")


def test_a_window_that_fits_is_one_prompt() -> None:
    _, asked = ranked(request(many(20)), lambda _: Answer("[1]"))

    assert len(asked.exchanges) == 1


@pytest.mark.parametrize("mode", list(WindowMode))
def test_more_hits_than_a_prompt_holds_take_several(mode: WindowMode) -> None:
    options = InsertRankOptions(prompt_hits=6, stride=3, windows=mode)

    def best_last(prompt: Prompt) -> Answer:
        return Answer(numbers_of(prompt, tuple(sorted(prompt.places, reverse=True))))

    answer, asked = ranked(request(many(20)), best_last, options)

    assert answer.ids[:3] == ("d19", "d18", "d17")
    assert answer.status is Status.RERANKED
    assert len(asked.exchanges) > 3
    assert all(len(one.prompt.places) <= 6 for one in asked.exchanges)


def test_hits_that_do_not_fit_the_context_take_several_prompts_that_do() -> None:
    hits = tuple(Hit(f"d{place}", float(-place), "word " * 50) for place in range(12))
    options = InsertRankOptions(PromptOptions(prompt_tokens=400))

    _, asked = ranked(
        request(hits), lambda prompt: Answer(numbers_of(prompt, prompt.places)), options
    )

    prompts = [one.prompt for one in asked.exchanges]
    assert 2 < len(prompts[0].places) < 12
    assert all(prompt.tokens <= 400 and prompt.truncated == 0 for prompt in prompts)
    assert {place for prompt in prompts for place in prompt.places} == set(range(12))
    overlap = set(prompts[0].places) & set(prompts[1].places)
    assert overlap


def test_passages_are_cut_where_not_even_two_fit() -> None:
    hits = tuple(Hit(f"d{place}", float(-place), "word " * 250) for place in range(4))
    options = InsertRankOptions(PromptOptions(prompt_tokens=300))

    _, asked = ranked(request(hits), lambda _: Answer("[1] > [2]"), options)

    for one in asked.exchanges:
        assert len(one.prompt.places) == 2
        assert one.prompt.tokens <= 300
        assert one.prompt.truncated == 2


def test_a_prompt_that_was_lost_leaves_its_hits_and_is_told_of() -> None:
    answers = iter([Answer(failure="deadline"), Answer("[3] > [2] > [1] > [4]")])
    options = InsertRankOptions(prompt_hits=4, stride=2)

    answer, _ = ranked(request(many(6)), lambda _: next(answers), options)

    assert answer.ids == ("d2", "d1", "d0", "d3", "d4", "d5")
    assert answer.status is Status.PARTIAL
    assert answer.reason == "llm_windows_lost:1/2,deadline"


def test_what_several_answers_lack_is_added_up() -> None:
    answers = iter([Answer("[1]"), Answer("no"), Answer("[2] > [2] > [3] > [4")])
    options = InsertRankOptions(prompt_hits=4, stride=2)

    answer, _ = ranked(request(many(8)), lambda _: next(answers), options)

    assert answer.reason == (
        "llm_windows_lost:1/3,llm_answer_unusable; llm_answer_truncated:missing=5,repeated=1"
    )


def test_nothing_but_lost_prompts_pass_through() -> None:
    options = InsertRankOptions(prompt_hits=2, stride=1)

    answer, _ = ranked(request(many(5)), lambda _: Answer(failure="llm_overloaded"), options)

    assert (answer.status, answer.reason) == (Status.PASSED_THROUGH, "llm_overloaded")
    assert answer.ids == ("d0", "d1", "d2", "d3", "d4")


ANSWERS = st.builds(
    Answer,
    st.text() | st.lists(st.integers(0, 12)).map(lambda ns: " > ".join(f"[{n}]" for n in ns)),
    st.booleans(),
    st.none() | st.just("deadline"),
)


@given(st.data(), st.integers(0, 25), st.integers(1, 30), st.integers(2, 9))
def test_every_hit_comes_back_exactly_once(
    data: st.DataObject, count: int, window: int, size: int
) -> None:
    options = InsertRankOptions(
        PromptOptions(
            initial_order=data.draw(st.sampled_from(InitialOrder)),
            prompt_tokens=data.draw(st.none() | st.integers(250, 600)),
        ),
        prompt_hits=size,
        stride=data.draw(st.integers(1, size - 1)),
        windows=data.draw(st.sampled_from(WindowMode)),
    )

    answer, asked = ranked(request(many(count), window), lambda _: data.draw(ANSWERS), options)

    assert sorted(answer.ids) == sorted(hit.id for hit in many(count))
    assert [hit.rank for hit in answer.hits] == list(range(1, count + 1))
    prompts = [one.prompt for one in asked.exchanges]
    assert {place for one in prompts for place in one.places} == set(range(min(count, window)))
    assert all(sorted(one.shown) == sorted(one.places) for one in prompts)
    limit = options.prompt.prompt_tokens
    assert limit is None or all(one.tokens <= limit for one in prompts)
    assert asked.prompts == len(prompts)
