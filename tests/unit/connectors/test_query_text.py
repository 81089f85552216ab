from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.query_text import query_text, text_query
from plugin.ranking.errors import UsageError

# The Java client of the engine plugins runs the same cases.
CASES = json.loads((Path(__file__).parents[2] / "cases" / "query_text.json").read_text("utf-8"))
T = CASES["text"]


@pytest.mark.parametrize("query", CASES["read_from_a_query"])
def test_a_text_is_read_where_it_scores(query: dict[str, Any]) -> None:
    assert query_text({"query": query}) == T


@pytest.mark.parametrize("retriever", CASES["read_from_a_retriever"])
def test_a_text_is_read_from_retrievers(retriever: dict[str, Any]) -> None:
    assert query_text({"retriever": retriever}) == T


def test_the_address_may_hold_the_text() -> None:
    assert query_text({}, {"q": T}) == T
    assert query_text({"query": {"match": {"text": T}}}, {"q": "else"}) == T


@pytest.mark.parametrize("case", CASES["not_read"])
def test_no_text_or_several_are_asked_for(case: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=case["because"]):
        query_text({"query": case["query"]})


def test_a_plain_text_searches_the_fields_known() -> None:
    assert text_query(T, ["title", "text"]) == {
        "multi_match": {"query": T, "fields": ["title", "text"]}
    }
    assert text_query(T, []) == {"multi_match": {"query": T}}
    assert query_text({"query": text_query(T, [])}) == T
