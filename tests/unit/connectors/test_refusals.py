from __future__ import annotations

from typing import Any

import pytest

from connectors.refusals import method, page
from connectors.search_options import Method, PassThrough


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"size": 10, "from": 3},
        {"sort": "_score"},
        {"sort": ["_score"]},
        {"sort": [{"_score": "desc"}]},
        {"sort": [{"_score": {"order": "desc"}}]},
        {"query": {"bool": {"must": []}}, "rescore": {"window_size": 3}},
        {"pit": {"id": "x"}},
        {"knn": {"field": "v"}},
    ],
)
def test_what_an_engine_rescores(body: dict[str, Any]) -> None:
    assert method(body, {}) is Method.RESCORE


@pytest.mark.parametrize(
    "body",
    [
        {"collapse": {"field": "place"}},
        {"query": {"hybrid": {"queries": []}}},
        {"retriever": {"standard": {}}},
    ],
)
def test_what_is_reordered(body: dict[str, Any]) -> None:
    assert method(body, {}) is Method.REORDER


@pytest.mark.parametrize(
    ("body", "params", "reason"),
    [
        ({"size": 0}, {}, "size_0"),
        ({"size": 5}, {"size": "0"}, "size_0"),
        ({"sort": "number"}, {}, "sorted_by_field"),
        ({"sort": [{"_score": "asc"}]}, {}, "sorted_by_field"),
        ({"sort": ["_score", "_doc"]}, {}, "sorted_by_field"),
        ({}, {"sort": "number:asc"}, "sorted_by_field"),
        ({"search_after": [1.0]}, {}, "search_after"),
        ({}, {"scroll": "1m"}, "scroll"),
        ({"rank": {"rrf": {}}}, {}, "rank"),
        ({"sub_searches": []}, {}, "sub_searches"),
        ({"collapse": {"field": "f"}, "sort": ["f"]}, {}, "sorted_by_field"),
    ],
)
def test_what_passes_through(body: dict[str, Any], params: dict[str, Any], reason: str) -> None:
    with pytest.raises(PassThrough) as passed:
        method(body, params)
    assert passed.value.reason == reason
    assert passed.value.error is None


def test_pages() -> None:
    assert page({}, {}) == (0, 10)
    assert page({"from": 20, "size": 5}, {}) == (20, 5)
    assert page({"from": 20, "size": 5}, {"from": "1", "size": 2}) == (1, 2)
    assert page({"size": "many"}, {}) == (0, 10)


def test_a_sort_by_score_of_the_address() -> None:
    assert method({}, {"sort": "_score:desc"}) is Method.RESCORE
