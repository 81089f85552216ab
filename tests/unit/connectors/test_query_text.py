from __future__ import annotations

from typing import Any

import pytest

from connectors.query_text import query_text, text_query
from plugin.ranking.errors import UsageError

T = "cold water"


@pytest.mark.parametrize(
    "query",
    [
        {"match": {"text": T}},
        {"match": {"text": {"query": T, "operator": "and"}}},
        {"match_phrase": {"text": T}},
        {"match_bool_prefix": {"text": {"query": f"  {T} "}}},
        {"multi_match": {"query": T, "fields": ["title", "text"]}},
        {"query_string": {"query": T}},
        {"simple_query_string": {"query": T}},
        {"combined_fields": {"query": T, "fields": ["text"]}},
        {"bool": {"must": {"match": {"text": T}}}},
        {"bool": {"must": [{"match": {"text": T}}], "filter": [{"match": {"kind": "book"}}]}},
        {"bool": {"should": [{"match": {"text": T}}, {"match": {"title": T}}]}},
        {"bool": {"should": [{"match": {"text": T}}], "must_not": {"match": {"text": "ice"}}}},
        {"bool": {"must": [{"bool": {"should": [{"multi_match": {"query": T}}]}}]}},
        {"dis_max": {"queries": [{"match": {"text": T}}, {"match_phrase": {"text": T}}]}},
        {"function_score": {"query": {"match": {"text": T}}, "functions": []}},
        {"script_score": {"query": {"match": {"text": T}}, "script": {"source": "1"}}},
        {"constant_score": {"filter": {"match": {"text": T}}}},
        {"nested": {"path": "p", "query": {"match": {"p.text": T}}}},
        {"boosting": {"positive": {"match": {"text": T}}, "negative": {"match": {"text": "x"}}}},
        {"neural": {"vector": {"query_text": T, "k": 10}}},
        {"neural_sparse": {"tokens": {"query_text": T}}},
        {"semantic": {"field": "text", "query": T}},
        {"sparse_vector": {"field": "tokens", "query": T}},
        {"hybrid": {"queries": [{"match": {"text": T}}, {"neural": {"v": {"query_text": T}}}]}},
    ],
)
def test_a_text_is_read_where_it_scores(query: dict[str, Any]) -> None:
    assert query_text({"query": query}) == T


@pytest.mark.parametrize(
    "retriever",
    [
        {"standard": {"query": {"match": {"text": T}}}},
        {"rescorer": {"retriever": {"standard": {"query": {"match": {"text": T}}}}}},
        {"rrf": {"retrievers": [{"standard": {"query": {"match": {"text": T}}}}, {"knn": {}}]}},
        {"rrf": {"query": T, "fields": ["text"]}},
        {"linear": {"retrievers": [{"retriever": {"standard": {"query": {"match": {"t": T}}}}}]}},
    ],
)
def test_a_text_is_read_from_retrievers(retriever: dict[str, Any]) -> None:
    assert query_text({"retriever": retriever}) == T


def test_the_address_may_hold_the_text() -> None:
    assert query_text({}, {"q": T}) == T
    assert query_text({"query": {"match": {"text": T}}}, {"q": "else"}) == T


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"match_all": {}}, "no full-text clause"),
        ({"term": {"kind": "book"}}, "no full-text clause"),
        ({"match": {"year": 2020}}, "no full-text clause"),
        ({"match": {"text": "  "}}, "no full-text clause"),
        ({"bool": {"filter": [{"match": {"text": T}}]}}, "no full-text clause"),
        ({"knn": {"v": {"vector": [1.0], "k": 3}}}, "no full-text clause"),
        ({"bool": {"must": [{"match": {"a": "x"}}, {"match": {"b": "y"}}]}}, "2 different texts"),
        (None, "no full-text clause"),
    ],
)
def test_no_text_or_several_are_asked_for(query: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        query_text({"query": query})


def test_a_plain_text_searches_the_fields_known() -> None:
    assert text_query(T, ["title", "text"]) == {
        "multi_match": {"query": T, "fields": ["title", "text"]}
    }
    assert text_query(T, []) == {"multi_match": {"query": T}}
    assert query_text({"query": text_query(T, [])}) == T
