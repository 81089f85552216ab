"""What a server is sent so that its answer can be nothing but numbers of passages.

Sources: OpenAI's Structured Outputs (`response_format`); vLLM's "Structured Outputs"
(`structured_outputs`, since 0.12); llama.cpp's `grammars/README.md` (`grammar`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any


class GuidedDecoding(StrEnum):
    """By what of a server an answer is guided."""

    OFF = "off"
    JSON_SCHEMA = "json_schema"
    REGEX = "regex"
    GRAMMAR = "grammar"


def guide(how: GuidedDecoding, passages: int) -> dict[str, Any]:
    """Fields of a request whose answer puts ``passages`` passages in order; none where it is off.

    Of a JSON schema hosted servers take no count of items, so it guides the form and the numbers;
    the others guide how many there are, too. None of them can say "each once".
    """
    return _GUIDES[how](passages) if passages else {}


def _json_schema(passages: int) -> dict[str, Any]:
    numbers = {"type": "integer", "enum": list(range(1, passages + 1))}
    schema = {
        "type": "object",
        "properties": {"ranking": {"type": "array", "items": numbers}},
        "required": ["ranking"],
        "additionalProperties": False,
    }
    named = {"name": "ranking", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _regex(passages: int) -> dict[str, Any]:
    number = rf"\[({'|'.join(map(str, range(1, passages + 1)))})\]"
    return {"structured_outputs": {"regex": rf"{number}( > {number}){{{passages - 1}}}"}}


def _grammar(passages: int) -> dict[str, Any]:
    numbers = " | ".join(f'"{number}"' for number in range(1, passages + 1))
    more = f' (" > " number){{{passages - 1}}}' if passages > 1 else ""
    return {"grammar": f'root ::= number{more}\nnumber ::= "[" ({numbers}) "]"\n'}


_GUIDES: Mapping[GuidedDecoding, Callable[[int], dict[str, Any]]] = {
    GuidedDecoding.OFF: lambda _: {},
    GuidedDecoding.JSON_SCHEMA: _json_schema,
    GuidedDecoding.REGEX: _regex,
    GuidedDecoding.GRAMMAR: _grammar,
}
