"""Settings of the models: bounds, secrets, and what belongs together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from plugin.models.base_options import Options
from plugin.models.chat.options import (
    BudgetOptions,
    CacheOptions,
    CircuitOptions,
    HedgeOptions,
    PriceOptions,
)
from plugin.models.llm_options import LLMOptions
from plugin.models.options import FusionOptions, ModelOptions, ProfileOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.first_token import LETTERS
from plugin.ranking.hits import FusionWeights
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.profile import E2RANK_EVALUATED, PLAIN, Pooling
from plugin.ranking.score_labels import ScoreMode
from plugin.ranking.windows import WindowMode
from tests.doubles import WordTokenizer

MINE: dict[str, Any] = {"dimensions": 384, "max_tokens": 256, "pooling": "mean"}
TABLES: list[type[Options]] = [
    BudgetOptions,
    CacheOptions,
    CircuitOptions,
    FusionOptions,
    HedgeOptions,
    LLMOptions,
    ModelOptions,
    PriceOptions,
    ProfileOptions,
]


@pytest.mark.parametrize("table", TABLES)
def test_every_field_is_described(table: type[Options]) -> None:
    assert [name for name, field in table.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (ModelOptions, {"nam": "e2rank-0.6b"}),
        (ModelOptions, {"device": "gpu"}),
        (ModelOptions, {"dtype": "int8"}),
        (ModelOptions, {"batch_tokens": 0}),
        (ModelOptions, {"timeout": 0}),
        (ModelOptions, {"url": "not a url", "name": "e2rank-0.6b"}),
        (ModelOptions, {"path": "folder"}),
        (ModelOptions, {"url": "http://localhost/v1"}),
        (ModelOptions, {"name": "mine", "profile": MINE}),
        (ProfileOptions, {**MINE, "pooling": "maximum"}),
        (ProfileOptions, {**MINE, "query_template": "{question}"}),
        (ProfileOptions, {**MINE, "document_template": "{"}),
        (FusionOptions, {}),
        (FusionOptions, {"query": float("nan")}),
        (LLMOptions, {"temperature": 3}),
        (LLMOptions, {"score_mode": "log"}),
        (LLMOptions, {"window": 1}),
    ],
)
def test_wrong_values_are_refused(table: type[Options], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        table(**values)


@pytest.mark.parametrize("table", [ModelOptions, LLMOptions])
def test_keys_are_not_shown(table: type[Options]) -> None:
    options = table.model_validate({"api_key": "s3cret"})

    assert "s3cret" not in repr(options) + options.model_dump_json()


def test_a_described_model_becomes_a_profile() -> None:
    options = ProfileOptions(
        **MINE, query_template="query: {query}", document_template="passage: {text}"
    )

    profile = options.to_profile("mine", location="folder")

    assert (profile.name, profile.location, profile.dimensions) == ("mine", "folder", 384)
    assert profile.pooling is Pooling.MEAN
    assert profile.listwise == PLAIN
    assert profile.fusion == FusionWeights(listwise=0, query=1)


def test_a_described_model_may_take_e2ranks_layout() -> None:
    options = ProfileOptions(**MINE, listwise="evaluated", fusion=FusionOptions(listwise=1))

    profile = options.to_profile("mine", location="folder")

    assert profile.listwise == E2RANK_EVALUATED
    assert profile.fusion.signals == ("listwise",)


def test_insertrank_is_off_without_an_address() -> None:
    assert LLMOptions().url is None


def test_the_llms_options_say_how_the_prompt_is_written() -> None:
    options = LLMOptions(
        score_mode=ScoreMode.MINMAX,
        scale=10,
        passage_words=50,
        passage_tokens=70,
        initial_order=InitialOrder.SHUFFLED,
        seed=7,
        context_tokens=8192,
        max_tokens=1000,
        prompt_hits=6,
        stride=4,
        windows=WindowMode.TOURNAMENT,
    )

    by_words, by_tokens = (options.insertrank(tokenizer) for tokenizer in (None, WordTokenizer()))

    prompt = by_words.prompt
    assert (prompt.score_mode, prompt.scale, prompt.passage_words) == (ScoreMode.MINMAX, 10, 50)
    assert (prompt.initial_order, prompt.seed) == (InitialOrder.SHUFFLED, 7)
    assert prompt.prompt_tokens == 7192
    assert (by_words.prompt_hits, by_words.stride) == (6, 4)
    assert by_words.windows is WindowMode.TOURNAMENT
    assert (prompt.passage_tokens, by_tokens.prompt.passage_tokens) == (None, 70)


def test_a_context_that_is_not_known_is_no_limit() -> None:
    assert LLMOptions().insertrank(WordTokenizer()).prompt.prompt_tokens is None


class OddTokenizer(WordTokenizer):
    """A letter of the lower half of the alphabet is two tokens."""

    def count(self, text: str) -> int:
        return super().count(text) + (text.lower() in {*"nopqrstuvwxyz"})


def test_passages_are_told_apart_by_letters_that_are_one_token() -> None:
    options = LLMOptions(decoding=Decoding.FIRST_TOKEN, top_logprobs=10)
    assert options.insertrank(None).prompt.letters == LETTERS
    known = options.insertrank(OddTokenizer())
    assert "".join(known.prompt.letters) == "ABCDEFGHIJKLMabcdefghijklm"
    assert (known.prompt.decoding, known.top_logprobs) == (Decoding.FIRST_TOKEN, 10)


class NoTokenizer(WordTokenizer):
    """Every letter is two tokens."""

    def count(self, text: str) -> int:
        return super().count(text) + len(text)


def test_without_such_letters_the_first_token_tells_nothing() -> None:
    with pytest.raises(SettingsError, match=r"llm\.decoding"):
        LLMOptions(decoding=Decoding.FIRST_TOKEN).insertrank(NoTokenizer())
    assert LLMOptions().insertrank(NoTokenizer()).prompt.letters == ()


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"prompt_hits": 10, "stride": 10}, "stride must be less than prompt_hits"),
        ({"context_tokens": 4096}, "leave 256 tokens"),
        ({"template": "insertrank-0"}, "template is one of insertrank-1"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    values: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValidationError, match=remedy):
        LLMOptions(**values)
