"""That llama.cpp's server follows them is in tests/contract/test_llama_cpp.py."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from plugin.models.chat.guided import GuidedDecoding, guide
from plugin.models.chat.request import chat_body
from plugin.models.llm_options import LLMOptions
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.permutation import Outcome, parse
from tests.unit.plugin.models.chat.scripted import TURNS

URL = "http://127.0.0.1:1/v1"


def schema(passages: int) -> dict[str, Any]:
    form = guide(GuidedDecoding.JSON_SCHEMA, passages)["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"] is True
    found: dict[str, Any] = form["json_schema"]["schema"]
    return found


@pytest.mark.parametrize("passages", [1, 2, 10, 100])
def test_the_regular_expression_is_of_every_permutation(passages: int) -> None:
    expression = re.compile(guide(GuidedDecoding.REGEX, passages)["structured_outputs"]["regex"])

    answer = " > ".join(f"[{number}]" for number in range(passages, 0, -1))

    assert expression.fullmatch(answer)
    assert parse(answer, passages).outcome is Outcome.CLEAN
    for other in (f"{answer} > [1]", f"The order: {answer}", answer.replace("[1]", "[0]"), ""):
        assert not expression.fullmatch(other)


@pytest.mark.parametrize("passages", [1, 2, 10])
def test_the_schema_is_of_every_permutation(passages: int) -> None:
    answer = json.dumps({"ranking": list(range(passages, 0, -1))})

    jsonschema.validate(json.loads(answer), schema(passages))

    assert parse(answer, passages).outcome is Outcome.CLEAN
    for other in ({"ranking": [passages + 1]}, {"ranking": ["1"]}, {}, {"ranking": [1], "why": ""}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(other, schema(passages))


def test_one_passage_has_a_grammar_too() -> None:
    assert guide(GuidedDecoding.GRAMMAR, 1)["grammar"].splitlines()[0] == "root ::= number"
    assert '"[" ("1" | "2") "]"' in guide(GuidedDecoding.GRAMMAR, 2)["grammar"]


@pytest.mark.parametrize("how", GuidedDecoding)
def test_what_is_no_order_is_not_guided(how: GuidedDecoding) -> None:
    plain = chat_body(LLMOptions.model_validate({"url": URL}), TURNS)
    guided = LLMOptions.model_validate({"url": URL, "guided_decoding": how})
    first = guided.model_copy(update={"decoding": Decoding.FIRST_TOKEN})

    assert chat_body(guided, TURNS) == plain
    assert chat_body(first, TURNS, 2).keys() == chat_body(first, TURNS).keys()
    assert (chat_body(guided, TURNS, 2) == plain) is (how is GuidedDecoding.OFF)


def test_what_the_settings_send_besides_has_the_last_word() -> None:
    own = {"response_format": {"type": "json_object"}}
    options = LLMOptions.model_validate(
        {"url": URL, "guided_decoding": "json_schema", "extra_body": own}
    )

    assert chat_body(options, TURNS, 2)["response_format"] == own["response_format"]
