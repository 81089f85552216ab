"""The tokenizer counts as transformers does, cuts to measure, and holds across threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from plugin.models.encoder import Encoder
from plugin.models.sentence_transformer import SentenceTransformerEncoder
from plugin.models.tokenizer import HubTokenizer, load_tokenizer
from plugin.ranking.errors import ModelUnavailable

TEXTS = ["", "Gravity is a force.", "naïve 北京 🦀", "<|im_start|>user\n", "a\n\n b  c"]


@pytest.fixture(scope="module")
def qwen(qwen_folder: Path) -> HubTokenizer:
    return load_tokenizer(qwen_folder)


@pytest.fixture(scope="module")
def bert(minilm: Encoder) -> HubTokenizer:
    assert isinstance(minilm, SentenceTransformerEncoder)
    return minilm.tokenizer


@pytest.fixture(params=["qwen", "bert"])
def both(request: pytest.FixtureRequest) -> HubTokenizer:
    tokenizer = request.getfixturevalue(request.param)
    assert isinstance(tokenizer, HubTokenizer)
    return tokenizer


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_transformers(qwen_folder: Path, qwen: HubTokenizer, text: str) -> None:
    expected = AutoTokenizer.from_pretrained(qwen_folder)(text)["input_ids"]

    assert qwen.tokenize([text], 512, [None])[0].ids == expected
    assert qwen.count(text) == len(expected)


def test_special_tokens_stand_around_a_text_and_count(bert: HubTokenizer) -> None:
    assert bert.tokenize(["a fox"], 256, [None])[0].ids == [101, 1037, 4419, 102]
    assert (bert.count("a fox"), bert.count("")) == (4, 2)


def test_cutting_keeps_the_special_tokens(bert: HubTokenizer) -> None:
    made = bert.tokenize(["a fox jumped over", "a fox"], 4, [None, None])

    assert [one.ids for one in made] == [[101, 1037, 4419, 102], [101, 1037, 4419, 102]]
    assert [one.truncated for one in made] == [True, False]


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(text=ANY_TEXT, tokens=st.integers(-1, 30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_texts_are_prefixes_within_the_limit(
    both: HubTokenizer, text: str, tokens: int
) -> None:
    prefix = both.truncate(text, tokens)

    assert text.startswith(prefix)
    assert both.count(prefix) - both.count("") <= max(tokens, 0)


def test_a_cut_text_keeps_what_it_may(both: HubTokenizer) -> None:
    text = "Gravity is a force that attracts two bodies"
    whole = both.count(text) - both.count("")

    assert both.truncate(text, whole) == text
    for tokens in range(1, whole):
        assert both.count(both.truncate(text, tokens)) - both.count("") == tokens


def test_the_state_of_the_shared_tokenizer_does_not_matter(qwen_folder: Path) -> None:
    shared: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(qwen_folder)
    tokenizer = HubTokenizer(shared)
    before = tokenizer.count("Gravity is a force.")

    shared(["a", "b c"], padding="max_length", truncation=True, max_length=3)

    assert tokenizer.count("Gravity is a force.") == before


def test_threads_do_not_disturb_each_other(both: HubTokenizer) -> None:
    texts = [f"Gravity attracts {number} bodies " * (number % 7 + 1) for number in range(40)]

    def work(number: int) -> tuple[object, ...]:
        text = texts[number % len(texts)]
        limit = 5 + number % 11
        return (
            both.count(text),
            both.truncate(text, limit),
            both.tokenize([text, text[:9]], limit, [0, None]),
        )

    expected = [work(number) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == expected


def test_threads_may_lay_out_turns_at_once(qwen: HubTokenizer) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(qwen.user_turn, map(str, range(100))))

    assert turns == [qwen.user_turn(str(number)) for number in range(100)]


def test_a_folder_without_a_tokenizer_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.path"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_without_tokenizer_json_is_refused() -> None:
    class Slow:
        chat_template = None

    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json"):
        HubTokenizer(Slow())  # type: ignore[arg-type]
