"""Estimated lengths: what a piece costs, and that cutting keeps its promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.models.encoder import Encoder
from plugin.models.estimate import EstimatingTokenizer
from plugin.ranking.errors import SettingsError

ESTIMATE = EstimatingTokenizer()
SPECIALS = 2


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("   ", 0),
        ("fox", 1),
        ("a fox", 2),
        ("foxes run", 3),
        ("12.5", 4),
        ("a\nb", 3),
        ("snake_case", 5),
        ("北京", 2),
        ("🦀", 1),
    ],
)
def test_what_texts_cost(text: str, tokens: int) -> None:
    assert ESTIMATE.count(text) == tokens + SPECIALS


@given(st.text(), st.integers(-1, 40))
def test_cutting_gives_a_prefix_within_the_limit(text: str, tokens: int) -> None:
    prefix = ESTIMATE.truncate(text, tokens)

    assert text.startswith(prefix)
    assert ESTIMATE.count(prefix) - SPECIALS <= max(tokens, 0)


def test_short_texts_are_left_alone() -> None:
    assert ESTIMATE.truncate("a fox jumped ", 4) == "a fox jumped "


@pytest.mark.parametrize(
    "text",
    [
        "A listwise reranker orders the hits of a search by one prompt over all of them.",
        "Electroencephalographic hypersensitivity was immunohistochemically uncharacteristic.",
        "for i in range(10**6): total += values[i] ** 0.5  # 3.14159",
        "检索增强生成系统的重排序",
    ],
)
def test_it_does_not_fall_short_of_a_real_tokenizer(minilm: Encoder, text: str) -> None:
    assert ESTIMATE.count(text) >= minilm.tokenizer.count(text)


def test_it_knows_no_chat_template() -> None:
    with pytest.raises(SettingsError, match=r"model\.path"):
        ESTIMATE.user_turn("text")
