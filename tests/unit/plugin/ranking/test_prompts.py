"""Encoder texts, character by character, and the token budget of a listwise prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.errors import RequestTooLarge
from plugin.ranking.profile import (
    E2RANK_EVALUATED,
    E2RANK_README,
    PLAIN,
    ListwiseTemplate,
    ModelProfile,
    Pooling,
)
from plugin.ranking.prompts import (
    EncoderInput,
    InputKind,
    Tokenizer,
    document_input,
    listwise_prompt,
    query_input,
    share_tokens,
)

E2RANK = ModelProfile(
    name="e2rank",
    location="",
    dimensions=4,
    max_tokens=4096,
    pooling=Pooling.LAST_TOKEN,
    listwise=E2RANK_EVALUATED,
    query_template="Instruct: {instruction}\nQuery:{query}",
    end_token="<|endoftext|>",
    query_instruction="Find passages",
    listwise_instruction="Rerank the documents",
)


def test_a_query_carries_its_instruction() -> None:
    expected = EncoderInput(InputKind.QUERY, "Instruct: Find passages\nQuery:what is rust?")

    assert query_input(E2RANK, "what is rust?") == expected
    assert query_input(E2RANK, "q", "Find code").text == "Instruct: Find code\nQuery:q"


def test_a_document_is_its_template() -> None:
    titled = replace(E2RANK, document_template="passage: {text}")

    assert document_input(E2RANK, "text") == EncoderInput(InputKind.DOCUMENT, "text")
    assert document_input(titled, "text").text == "passage: text"


def test_braces_in_texts_are_left_alone(words: Tokenizer) -> None:
    assert document_input(E2RANK, "{query} {0}").text == "{query} {0}"
    prompt = listwise_prompt(E2RANK, "{documents}", ["{text}"], words)
    assert "[1] {text}\nSearch Query: {documents}" in prompt.text


def test_the_evaluated_form(words: Tokenizer) -> None:
    prompt = listwise_prompt(E2RANK, "what is rust?", ["A fungus.", "A language."], words)

    assert prompt.text == (
        "<user>Rerank the documents:\n"
        "Documents:\n"
        "[1] A fungus.\n"
        "[2] A language.\n"
        "Search Query: what is rust?</user><answer>"
    )
    assert (prompt.passages, prompt.truncated) == (2, 0)
    assert prompt.input.kind is InputKind.LISTWISE


def test_the_readme_form(words: Tokenizer) -> None:
    readme = replace(E2RANK, listwise=E2RANK_README)

    prompt = listwise_prompt(readme, "what is rust?", ["A fungus.", "A language."], words)

    assert prompt.text == (
        "<user>Rerank the documents:\n"
        "Documents:\n"
        "[1] A fungus.<|endoftext|>\n"
        "[2] A language.<|endoftext|>Search Query:what is rust?</user><answer>"
    )


def test_the_plain_form_has_no_chat_turn(words: Tokenizer) -> None:
    plain = replace(E2RANK, listwise=PLAIN)

    assert listwise_prompt(plain, "rust", ["A fungus."], words).text == "rust\nA fungus."


def test_the_request_may_bring_its_instruction(words: Tokenizer) -> None:
    prompt = listwise_prompt(E2RANK, "q", ["d"], words, "Order the claims")

    assert prompt.text.startswith("<user>Order the claims:\n")


def test_passages_are_cut_to_1024_words_and_counted(words: Tokenizer) -> None:
    prompt = listwise_prompt(E2RANK, "q", ["w " * 1025, "w " * 1024], words)

    first, second = prompt.text.split("\n")[2:4]
    assert len(first.removeprefix("[1] ").split()) == 1024
    assert len(second.removeprefix("[2] ").split()) == 1024
    assert prompt.truncated == 1


def test_a_passage_is_one_line(words: Tokenizer) -> None:
    prompt = listwise_prompt(E2RANK, "q", ["one\n\ntwo\t three"], words)

    assert "[1] one two three\n" in prompt.text
    assert prompt.truncated == 0


def test_a_query_without_room_for_passages_is_refused_with_the_numbers(words: Tokenizer) -> None:
    small = replace(E2RANK, max_tokens=20)

    with pytest.raises(RequestTooLarge, match="e2rank takes 20"):
        listwise_prompt(small, "w " * 30, ["d"], words)


def test_long_passages_are_cut_and_short_ones_kept_whole(words: Tokenizer) -> None:
    small = replace(E2RANK, listwise=PLAIN, max_tokens=20)

    prompt = listwise_prompt(small, "query", ["a b", "x " * 50, "y " * 50], words)

    query, *passages = prompt.text.split("\n")
    assert query == "query"
    assert [len(passage.split()) for passage in passages] == [2, 7, 8]
    assert (prompt.tokens, prompt.truncated) == (20, 2)


PASSAGES = st.lists(st.text(alphabet="ab \n", max_size=80), min_size=1, max_size=8)


@given(PASSAGES, st.integers(24, 60), st.sampled_from([E2RANK_EVALUATED, E2RANK_README, PLAIN]))
def test_a_prompt_never_exceeds_the_models_positions(
    words: Tokenizer, passages: list[str], limit: int, layout: ListwiseTemplate
) -> None:
    profile = replace(E2RANK, listwise=layout, max_tokens=limit)

    prompt = listwise_prompt(profile, "some query", passages, words)

    assert prompt.tokens == words.count(prompt.text) <= limit
    assert prompt.passages == len(passages)


class Merging:
    """Joining pieces makes more tokens than the pieces have: what refitting is for."""

    def count(self, text: str) -> int:
        return len(text) + 3 * text.count("\n")

    def truncate(self, text: str, tokens: int) -> str:
        return text[: max(tokens, 0)]

    def user_turn(self, content: str) -> str:
        return content


# 65 is what eight empty passages cost with their separators: below it nothing can fit.
@given(PASSAGES, st.integers(65, 120))
def test_refitting_holds_where_joining_costs_tokens(passages: list[str], limit: int) -> None:
    profile = replace(E2RANK, listwise=replace(PLAIN, separator="\n\n"), max_tokens=limit)

    assert listwise_prompt(profile, "query", passages, Merging()).tokens <= limit


def test_more_passages_than_the_layout_has_room_for_are_refused() -> None:
    profile = replace(E2RANK, listwise=replace(PLAIN, separator="\n\n"), max_tokens=64)

    with pytest.raises(RequestTooLarge, match="65 tokens, and e2rank takes 64"):
        listwise_prompt(profile, "query", ["ab"] * 8, Merging())


LENGTHS = st.lists(st.integers(0, 100), max_size=12)


@given(LENGTHS, st.integers(-5, 600))
def test_shares_spend_the_budget_and_no_more(lengths: list[int], budget: int) -> None:
    shares = share_tokens(lengths, budget)

    assert all(0 <= share <= length for share, length in zip(shares, lengths, strict=True))
    assert sum(shares) == min(max(budget, 0), sum(lengths))


@given(LENGTHS, st.integers(0, 600))
def test_a_cut_passage_never_has_less_than_another_keeps(lengths: list[int], budget: int) -> None:
    shares = share_tokens(lengths, budget)

    cut = [share for share, length in zip(shares, lengths, strict=True) if share < length]
    assert not cut or max(shares) - min(cut) <= 1
