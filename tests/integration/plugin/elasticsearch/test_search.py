"""Searches through the ``rankside`` retriever on a real node: the order, and all that must stay."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from connectors.search import Method, SearchOptions
from tests.integration.plugin.client_side import client_side, weights
from tests.integration.plugin.elasticsearch.searching import (
    QUERY,
    STANDARD,
    TEXT,
    reranked,
    search,
)
from tests.integration.plugin.shared import Articles
from tests.nearly import nearly

FUSIONS = {
    "the model's own": None,
    "query": {"query": 1.0},
    "listwise": {"listwise": 1.0},
    "all": {"listwise": 0.5, "query": 0.5, "rocchio": 0.5, "first_stage": 0.05},
}


@pytest.fixture(params=["articles", "articles_in_shards"])
def stored(request: pytest.FixtureRequest) -> Articles:
    found: Articles = request.getfixturevalue(request.param)
    return found


def knn(articles: Articles, like: str, count: int) -> dict[str, Any]:
    """The retriever of the articles nearest to one of them."""
    vector = articles.vectors[like].tolist()
    field = {"field": articles.meta.vector_field, "query_vector": vector}
    return {"knn": {**field, "k": count, "num_candidates": 100}}


@pytest.mark.parametrize("fusion", FUSIONS.values(), ids=FUSIONS)
async def test_the_order_is_the_client_sides(
    elasticsearch: Elasticsearch,
    plugin_node: Any,
    sidecar: str,
    stored: Articles,
    fusion: dict[str, float] | None,
) -> None:
    body = {"query": QUERY, "_source": False, "size": 50}
    options = SearchOptions(fusion=None if fusion is None else weights(fusion))
    theirs = await client_side(plugin_node.url, sidecar, stored.index, body, options)
    assert theirs.method is Method.RESCORE
    more = {} if fusion is None else {"fusion": fusion}
    # The client names the window's ids, so its window is that of all shards together.
    exact = search(elasticsearch, stored.index, reranked(**more, exact_window=True), size=50)
    assert exact.said["status"] == "reranked"
    assert exact.ids == [hit["_id"] for hit in theirs.body["hits"]["hits"]]
    ours = search(elasticsearch, stored.index, reranked(**more, rank_window_size=200), size=200)
    assert ours.scores == sorted(ours.scores, reverse=True)
    scores = {hit["_id"]: hit["_score"] for hit in ours.hits}
    assert [scores[one] for one in exact.ids] == pytest.approx(
        [hit["_score"] for hit in theirs.body["hits"]["hits"]], rel=1e-5
    )
    assert ours.ids != search(elasticsearch, stored.index, STANDARD, size=50).ids


CASES: list[dict[str, Any]] = [
    {"strategy": "insertrank"},
    {"strategy": "cascade"},
    {"strategy": "cascade", "head": 5},
]


@pytest.mark.parametrize("said", CASES, ids=str)
async def test_an_llms_order_is_the_client_sides(
    elasticsearch: Elasticsearch,
    plugin_node: Any,
    sidecar: str,
    stored: Articles,
    said: dict[str, Any],
) -> None:
    body = {"query": QUERY, "_source": False, "size": 50}
    options = SearchOptions(**said)
    theirs = await client_side(plugin_node.url, sidecar, stored.index, body, options)
    ours = search(elasticsearch, stored.index, reranked(**said), size=50)
    assert (ours.said["status"], ours.said["strategy"]) == ("reranked", said["strategy"])
    assert ours.ids == [hit["_id"] for hit in theirs.body["hits"]["hits"]]


def test_an_llm_turns_the_head_around(elasticsearch: Elasticsearch, articles: Articles) -> None:
    before = search(elasticsearch, articles.index, STANDARD, size=10)
    turned = reranked(strategy="insertrank", rank_window_size=10)
    after = search(elasticsearch, articles.index, turned, size=10)
    assert after.ids == before.ids[::-1]
    assert after.scores == [float(score) for score in range(10, 0, -1)]
    assert after.said["model"] == "reverser"


@pytest.mark.parametrize("strategy", ["e2rank", "insertrank", "cascade"])
def test_pages_are_cut_from_one_order(
    elasticsearch: Elasticsearch, stored: Articles, strategy: str
) -> None:
    retriever = reranked(strategy=strategy, rank_window_size=50)
    whole = search(elasticsearch, stored.index, retriever, size=50)
    pages = [
        search(elasticsearch, stored.index, retriever, size=10, **{"from": first})
        for first in range(0, 60, 10)
    ]
    assert [one for page in pages for one in page.ids] == whole.ids
    assert len(whole.ids) == 50
    assert whole.scores == sorted(whole.scores, reverse=True)
    assert min(whole.scores) >= 0


SIZES = [
    {"size": 10},
    {"size": 10, "from": 40},
    {"size": 50, "track_total_hits": True, "aggs": {"views": {"terms": {"field": "view"}}}},
    {"size": 7, "from": 3, "track_total_hits": False},
]


@pytest.mark.parametrize("page", SIZES, ids=str)
def test_a_search_less_gives_the_same_answer(
    elasticsearch: Elasticsearch, stored: Articles, page: dict[str, Any]
) -> None:
    window = reranked(rank_window_size=50)
    in_place = search(elasticsearch, stored.index, window, **page)
    named = {"rankside": {**window["rankside"], "_name": "mine"}}  # which the core has to know of
    by_the_core = search(elasticsearch, stored.index, named, **page)
    assert "matched_queries" in by_the_core.hits[0]
    assert "matched_queries" not in in_place.hits[0]
    assert in_place.ids == by_the_core.ids
    assert in_place.scores == nearly(by_the_core.scores)
    assert in_place.body.get("aggregations") == by_the_core.body.get("aggregations")
    assert in_place.body["hits"].get("total") == by_the_core.body["hits"].get("total")


def test_an_exact_window_is_that_of_all_shards_together(
    elasticsearch: Elasticsearch, articles_in_shards: Articles
) -> None:
    index = articles_in_shards.index
    before = search(elasticsearch, index, STANDARD, size=10).ids
    head = {"rank_window_size": 10, "fusion": {"query": 1.0}}
    exact = search(elasticsearch, index, reranked(**head, exact_window=True), size=10).ids
    assert sorted(exact) == sorted(before)
    each = search(elasticsearch, index, reranked(**head), size=10).ids
    assert set(each) != set(before)  # ten of each shard were looked at


LEFT_ALONE: dict[str, dict[str, Any]] = {
    "size 0": {"size": 0, "aggs": {"views": {"terms": {"field": "view"}}}},
    "fields without source": {"fields": ["title", "number"], "_source": False},
    "no total": {"track_total_hits": False},
    "exact total": {"track_total_hits": True},
    "aggregations": {"aggs": {"views": {"terms": {"field": "view"}}}},
    "highlight": {"highlight": {"fields": {"text": {"highlight_query": QUERY}}}},
    "source": {"_source": ["title"]},
    "sequence numbers": {"version": True, "seq_no_primary_term": True},
    "doc values": {"docvalue_fields": ["number"]},
    "post filter": {"post_filter": {"term": {"subject": "loom"}}},
}


@pytest.mark.parametrize("extra", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_all_but_the_order_is_as_the_engine_made_it(
    elasticsearch: Elasticsearch, stored: Articles, extra: dict[str, Any]
) -> None:
    body = {"size": 200, **extra}
    window = {"rank_window_size": 200}
    before = search(elasticsearch, stored.index, STANDARD, **body)
    after = search(elasticsearch, stored.index, reranked(**window), **body)
    assert content(after.hits) == content(before.hits)
    assert after.body.get("aggregations") == before.body.get("aggregations")
    if "post_filter" not in body:
        assert after.body["hits"].get("total") == before.body["hits"].get("total")
    if body["size"]:
        assert after.said["status"] == "reranked"
    else:
        assert (after.said["status"], after.said["reason"]) == ("passed_through", "size_0")


def content(hits: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Hits by their ids, less what a rerank may change."""
    changed = {"_score", "_explanation", "sort"}
    return {hit["_id"]: {k: v for k, v in hit.items() if k not in changed} for hit in hits}


NOTHING: dict[str, dict[str, Any]] = {
    "no hits": {"match": {"text": "xylophone"}},
    "unmapped field": {"match": {"nowhere": TEXT}},
}


@pytest.mark.parametrize("query", NOTHING.values(), ids=NOTHING)
def test_where_nothing_is_found_there_is_nothing_to_rerank(
    elasticsearch: Elasticsearch, stored: Articles, query: dict[str, Any]
) -> None:
    after = search(elasticsearch, stored.index, reranked({"standard": {"query": query}}))
    assert after.body["hits"]["total"]["value"] == 0
    assert (after.said["status"], after.said["reason"]) == ("passed_through", "no_hits")
    assert "detail" not in after.said


def test_a_window_may_be_larger_than_what_is_found(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    few = {"bool": {"must": [QUERY], "filter": [{"term": {"subject": "loom"}}]}}
    before = search(elasticsearch, stored.index, {"standard": {"query": few}}, size=200)
    for strategy in ("e2rank", "insertrank", "cascade"):
        retriever = reranked({"standard": {"query": few}}, strategy=strategy, rank_window_size=1000)
        after = search(elasticsearch, stored.index, retriever, size=200)
        assert after.said["status"] == "reranked"
        assert sorted(after.ids) == sorted(before.ids)


def test_hits_of_nearest_neighbours_are_put_in_order(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    inner = knn(stored, next(iter(stored.vectors)), 30)
    before = search(elasticsearch, stored.index, inner, size=30)
    for strategy in ("e2rank", "insertrank", "cascade"):
        after = search(
            elasticsearch,
            stored.index,
            reranked(inner, strategy=strategy),
            size=30,
            aggs={"views": {"terms": {"field": "view"}}},
        )
        assert after.said["status"] == "reranked"
        assert sorted(after.ids) == sorted(before.ids)
        assert after.ids != before.ids
        assert sum(one["doc_count"] for one in after.body["aggregations"]["views"]["buckets"]) == 30


def test_it_may_be_inside_a_rescorer_and_around_one(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    window = 20
    rescore = {
        "window_size": window,
        "query": {"rescore_query": {"term": {"subject": "loom"}}, "rescore_query_weight": 100.0},
    }
    alone = search(elasticsearch, stored.index, reranked(rank_window_size=window), size=window)
    outside = {"rescorer": {"retriever": reranked(rank_window_size=window), "rescore": rescore}}
    after = search(elasticsearch, stored.index, outside, size=window)
    assert after.said["status"] == "reranked"
    assert sorted(after.ids) == sorted(alone.ids)
    looms = [one for one in alone.ids if stored.documents[one]["subject"] == "loom"]
    assert looms
    assert after.ids == looms + [one for one in alone.ids if one not in looms]
    inside = {"rescorer": {"retriever": STANDARD, "rescore": rescore}}
    before = search(elasticsearch, stored.index, inside, size=window)
    after = search(
        elasticsearch, stored.index, reranked(inside, fusion={"query": 1.0}), size=window
    )
    assert after.said["status"] == "reranked"
    assert sorted(after.ids) == sorted(before.ids)
    assert after.ids != before.ids


def test_filters_and_the_least_score_are_its_own(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    loom = {"term": {"subject": "loom"}}
    whole = search(elasticsearch, stored.index, reranked(filter=loom), size=50)
    assert whole.ids
    assert {stored.documents[one]["subject"] for one in whole.ids} == {"loom"}
    least = whole.scores[2]
    best = search(elasticsearch, stored.index, reranked(filter=loom, min_score=least), size=50)
    assert best.ids == [
        one for one, score in zip(whole.ids, whole.scores, strict=True) if score >= least
    ]


def test_of_a_collapsed_group_the_best_hit_is_shown(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    retriever = reranked(fusion={"query": 1.0}, rank_window_size=200)
    whole = search(elasticsearch, stored.index, retriever, size=200)
    shown = search(elasticsearch, stored.index, retriever, size=50, collapse={"field": "view"})
    best: dict[str, str] = {}
    for one in whole.ids:
        best.setdefault(stored.documents[one]["view"], one)
    assert shown.ids == list(best.values())
    assert shown.said["status"] == "reranked"


def test_a_search_that_is_sorted_is_the_engines_to_refuse(
    elasticsearch: Elasticsearch, articles: Articles
) -> None:
    with pytest.raises(BadRequestError, match=r"cannot specify \[retriever\] and \[sort\]"):
        search(elasticsearch, articles.index, reranked(), sort=["number"])


@pytest.mark.parametrize("strategy", ["e2rank", "insertrank"])
def test_hits_that_the_inner_retriever_sorts_are_put_in_order(
    elasticsearch: Elasticsearch, articles: Articles, strategy: str
) -> None:
    inner = {"standard": {"query": QUERY, "sort": [{"number": "asc"}]}}
    before = search(elasticsearch, articles.index, inner, size=20)
    window = reranked(inner, strategy=strategy, rank_window_size=20)
    after = search(elasticsearch, articles.index, window, size=20)
    assert after.said["status"] == "reranked"
    assert before.ids == [str(number) for number in range(20)]
    assert sorted(after.ids) == sorted(before.ids)
    assert after.ids != before.ids
    assert after.scores == sorted(after.scores, reverse=True)


def test_a_point_in_time_is_searched_as_it_was(
    elasticsearch: Elasticsearch, stored: Articles
) -> None:
    made = elasticsearch.open_point_in_time(index=stored.index, keep_alive="1m")
    try:
        after = search(elasticsearch, None, reranked(), pit={"id": made["id"]})
        assert after.said["status"] == "reranked"
        assert after.ids == search(elasticsearch, stored.index, reranked()).ids
    finally:
        elasticsearch.close_point_in_time(id=made["id"])


def test_a_multi_search_reranks_each_of_its_searches(
    elasticsearch: Elasticsearch, articles: Articles
) -> None:
    head = {"index": articles.index}
    body = {"retriever": reranked(), "_source": False}
    llms = {"retriever": reranked(strategy="insertrank"), "_source": False}
    answer = elasticsearch.msearch(searches=[head, body, head, llms])
    first, second = answer["responses"]
    assert [hit["_id"] for hit in first["hits"]["hits"]] == search(
        elasticsearch, articles.index, reranked()
    ).ids
    assert [hit["_id"] for hit in second["hits"]["hits"]] == search(
        elasticsearch, articles.index, reranked(strategy="insertrank")
    ).ids


def test_several_indices_are_searched_together(
    elasticsearch: Elasticsearch, articles: Articles, articles_in_shards: Articles
) -> None:
    both = f"{articles.index},{articles_in_shards.index}"
    for strategy in ("e2rank", "insertrank"):
        retriever = reranked(strategy=strategy, rank_window_size=200)
        after = search(elasticsearch, both, retriever, size=200)
        assert after.said["status"] == "reranked"
        before = search(elasticsearch, both, STANDARD, size=200)
        assert len({(hit["_index"], hit["_id"]) for hit in after.hits}) == len(before.hits)


@pytest.mark.parametrize("strategy", ["e2rank", "insertrank"])
def test_explain_says_where_each_hit_was(
    elasticsearch: Elasticsearch, stored: Articles, strategy: str
) -> None:
    before = search(elasticsearch, stored.index, STANDARD, size=100)
    places = {hit["_id"]: (rank, hit["_score"]) for rank, hit in enumerate(before.hits, start=1)}
    after = search(elasticsearch, stored.index, reranked(strategy=strategy), size=20, explain=True)
    assert (
        after.ids == search(elasticsearch, stored.index, reranked(strategy=strategy), size=20).ids
    )
    seen = 0
    for rank, hit in enumerate(after.hits, start=1):
        # Of a rescore the engine explains the score, of a ranking of its own the rank.
        explained = hit["_score"] if strategy == "e2rank" else rank
        assert hit["_explanation"]["value"] == pytest.approx(explained)
        if hit["_id"] in places:
            (stood,) = hit["fields"]["rankside"]
            place, score = places[hit["_id"]]
            assert stood["first_stage_rank"] == place
            assert stood["first_stage_score"] == pytest.approx(score)
            seen += 1
    assert seen > 0
    assert "fields" not in search(elasticsearch, stored.index, reranked()).hits[0]


def test_profile_is_the_engines(elasticsearch: Elasticsearch, articles: Articles) -> None:
    after = search(elasticsearch, articles.index, reranked(), profile=True)
    assert after.said["status"] == "reranked"
    (shard,) = after.body["profile"]["shards"]
    assert shard["searches"][0]["query"]


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no text": ({"query_text": None}, {}, "has no query_text"),
    "typing error": ({"windw": 5}, {}, "unknown field \\[windw\\]"),
    "address": ({"url": "http://127.0.0.1:1"}, {}, "unknown field \\[url\\]"),
    "window": ({"rank_window_size": 0}, {}, "rank_window_size is \\[0\\] and must be"),
    "strategy": ({"strategy": "best"}, {}, "one of e2rank, insertrank, cascade, none"),
    "timeout": ({"timeout": "fast"}, {}, "a time above 0"),
    "page beyond the window": ({"rank_window_size": 5}, {"size": 6}, "rank_window_size: 5"),
    "sorted": ({}, {"sort": ["number"]}, "cannot specify \\[retriever\\] and \\[sort\\]"),
}


@pytest.mark.parametrize(("said", "body", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_told_so(
    elasticsearch: Elasticsearch,
    articles: Articles,
    said: dict[str, Any],
    body: dict[str, Any],
    sentence: str,
) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        search(elasticsearch, articles.index, reranked(**said), **body)


def test_a_retriever_is_needed(elasticsearch: Elasticsearch, articles: Articles) -> None:
    with pytest.raises(BadRequestError, match="rankside has no retriever"):
        search(elasticsearch, articles.index, {"rankside": {"query_text": "x"}})


def test_a_search_may_turn_it_off(elasticsearch: Elasticsearch, articles: Articles) -> None:
    after = search(elasticsearch, articles.index, reranked(strategy="none", query_text=None))
    assert (after.said["status"], after.said["reason"]) == ("passed_through", "strategy_none")
    assert after.body["hits"] == search(elasticsearch, articles.index, STANDARD).body["hits"]


ODD = {
    "quotes": 'a "quoted" \\ text',
    "lines": "one\ntwo\r\n\tthree",
    "NUL": "be\x00fore",
    "long": "loom " * 20_000,
    "other letters": "Ωmega 水 \U0001f600",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_text_can_be_ranked_for(
    elasticsearch: Elasticsearch, articles: Articles, text: str
) -> None:
    after = search(elasticsearch, articles.index, reranked(query_text=text))
    assert after.said["status"] in {"reranked", "partial"}, after.said
    assert len(after.ids) == 10
