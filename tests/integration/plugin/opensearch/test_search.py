"""Searches through the ``rankside`` processor on a real node: the order, and all that must stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from opensearchpy import NotFoundError, OpenSearch, RequestError

from connectors.search import Method, SearchOptions
from plugin.models.encoder import Encoder
from plugin.models.llm_options import LLMOptions
from plugin.ranking.hits import Status, Strategy
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.integration.plugin.client_side import client_side, weights
from tests.integration.plugin.opensearch.conftest import Articles
from tests.integration.plugin.opensearch.searching import (
    PIPELINE,
    plain,
    put_pipeline,
    search,
)
from tests.nearly import nearly
from tests.reversing_llm import ReversingLLM
from tests.serving import serving

TEXT = "who looks after it on a cold winter night"
QUERY = {"match": {"text": TEXT}}
BODY = {"query": QUERY, "_source": False}
EVERYTHING = 200
FUSIONS = {
    "the model's own": None,
    "query": {"query": 1.0},
    "listwise": {"listwise": 1.0},
    "all": {"listwise": 0.5, "query": 0.5, "rocchio": 0.5, "first_stage": 0.05},
}


@pytest.fixture(autouse=True, scope="module")
def _pipeline(session_opensearch: OpenSearch, sidecar: str) -> None:
    put_pipeline(session_opensearch, PIPELINE, url=[sidecar], timeout="30s")


@pytest.fixture(params=["articles", "articles_in_shards"])
def stored(request: pytest.FixtureRequest) -> Articles:
    found: Articles = request.getfixturevalue(request.param)
    return found


def content(hit: Mapping[str, Any]) -> dict[str, Any]:
    """A hit less what a rerank may change."""
    return {k: v for k, v in hit.items() if k not in {"_score", "_explanation", "sort"}}


def but_order(body: Mapping[str, Any]) -> dict[str, Any]:
    """A response less its hits' order, and less what no two responses share."""
    rest = {k: v for k, v in body.items() if k not in {"took", "ext", "profile", "pit_id", "hits"}}
    hits = {k: v for k, v in body["hits"].items() if k not in {"hits", "max_score"}}
    return {**rest, "hits": hits}


@pytest.mark.parametrize("fusion", FUSIONS.values(), ids=FUSIONS)
async def test_the_order_is_the_client_sides(
    opensearch: OpenSearch,
    plugin_node: Any,
    sidecar: str,
    stored: Articles,
    fusion: dict[str, float] | None,
) -> None:
    body = {**BODY, "size": 50}
    options = SearchOptions(fusion=None if fusion is None else weights(fusion))
    theirs = await client_side(plugin_node.url, sidecar, stored.index, body, options)
    assert theirs.method is Method.RESCORE
    ours = search(opensearch, stored.index, body, ext={"fusion": fusion} if fusion else None)
    assert ours.said["status"] == "reranked"
    assert ours.ids == [hit["_id"] for hit in theirs.body["hits"]["hits"]]
    assert ours.scores == pytest.approx(
        [hit["_score"] for hit in theirs.body["hits"]["hits"]], rel=1e-5
    )
    assert ours.ids != plain(opensearch, stored.index, body).ids


CASES: list[dict[str, Any]] = [
    {"strategy": "insertrank"},
    {"strategy": "cascade"},
    {"strategy": "cascade", "head": 5},
]


@pytest.mark.parametrize("said", CASES, ids=str)
async def test_an_llms_order_is_the_client_sides(
    opensearch: OpenSearch, plugin_node: Any, sidecar: str, stored: Articles, said: dict[str, Any]
) -> None:
    body = {**BODY, "size": 50}
    options = SearchOptions(**said)
    theirs = await client_side(plugin_node.url, sidecar, stored.index, body, options)
    ours = search(opensearch, stored.index, body, ext=said)
    assert (ours.said["status"], ours.said["strategy"]) == ("reranked", said["strategy"])
    assert ours.ids == [hit["_id"] for hit in theirs.body["hits"]["hits"]]


async def test_a_head_that_is_settled_is_e2ranks_order(
    opensearch: OpenSearch, plugin_node: Any, minilm: Encoder, stored: Articles
) -> None:
    """By the margin over the same window, whoever did the first half of the cascade."""
    body = {**BODY, "size": 50}
    settled = LLMOptions(settled_margin=1e-6)
    with serving(create_app(SidecarOptions(), minilm, ReversingLLM(), llm_options=settled)) as url:
        put_pipeline(opensearch, "settled", url=url, timeout="30s")
        ours = search(
            opensearch, stored.index, body, pipeline="settled", ext={"strategy": "cascade"}
        )
        options = SearchOptions(strategy=Strategy.CASCADE)
        theirs = await client_side(plugin_node.url, url, stored.index, body, options)
    assert (ours.said["status"], theirs.status) == ("reranked", Status.RERANKED)
    assert ours.said["model"] == theirs.model == minilm.profile.name
    e2rank = search(opensearch, stored.index, body, ext={"exact_window": True})
    assert ours.ids == e2rank.ids == [hit["_id"] for hit in theirs.body["hits"]["hits"]]
    reasons = (ours.said["reason"], str(theirs.reason))
    leads = [float(reason.partition("head_settled:")[2]) for reason in reasons]
    assert leads[0] == pytest.approx(leads[1], abs=0.011)  # of two digits


def test_an_llm_turns_the_head_around(opensearch: OpenSearch, articles: Articles) -> None:
    body = {**BODY, "size": 30}
    before = plain(opensearch, articles.index, body)
    after = search(opensearch, articles.index, body, ext={"strategy": "insertrank", "window": 10})
    assert after.ids == before.ids[9::-1] + before.ids[10:]
    assert after.said["model"] == "reverser"


def test_pages_are_cut_from_one_order(opensearch: OpenSearch, stored: Articles) -> None:
    ext = {"window": 20}
    whole = search(opensearch, stored.index, {**BODY, "size": 60}, ext=ext)
    pages = [
        search(opensearch, stored.index, {**BODY, "from": first, "size": 10}, ext=ext)
        for first in range(0, 60, 10)
    ]
    assert [one for page in pages for one in page.ids] == whole.ids
    assert [one for page in pages for one in page.scores] == nearly(whole.scores)
    assert whole.scores == sorted(whole.scores, reverse=True)
    assert min(whole.scores) >= 0


def test_beyond_the_window_first_stage_order_is_kept(
    opensearch: OpenSearch, articles: Articles
) -> None:
    body = {**BODY, "size": EVERYTHING}
    before = plain(opensearch, articles.index, body).ids
    after = search(opensearch, articles.index, body, ext={"window": 20, "fusion": {"query": 1.0}})
    assert sorted(after.ids[:20]) == sorted(before[:20])
    assert after.ids[20:] == before[20:]


def test_the_window_is_per_shard_unless_it_is_exact(
    opensearch: OpenSearch, articles_in_shards: Articles
) -> None:
    index = articles_in_shards.index
    body = {**BODY, "size": EVERYTHING}
    before = plain(opensearch, index, body).ids
    ext = {"window": 10, "fusion": {"query": 1.0}}
    exact = search(opensearch, index, body, ext={**ext, "exact_window": True}).ids
    assert (sorted(exact[:10]), exact[10:]) == (sorted(before[:10]), before[10:])
    each = search(opensearch, index, body, ext=ext).ids
    assert set(before[:10]) < set(each[:30])
    beyond = set(each[30:])
    assert each[30:] == [one for one in before if one in beyond]
    assert each != search(opensearch, index, body, ext={**ext, "exact_window": True}).ids


LEFT_ALONE: dict[str, dict[str, Any]] = {
    "size 0": {"size": 0, "aggs": {"views": {"terms": {"field": "view"}}}},
    "fields without source": {"fields": ["title", "number"], "_source": False},
    "no total": {"track_total_hits": False},
    "exact total": {"track_total_hits": True},
    "aggregations": {"aggs": {"views": {"terms": {"field": "view"}}}},
    "highlight": {"highlight": {"fields": {"text": {}}}},
    "source": {"_source": ["title"]},
    "sequence numbers": {"version": True, "seq_no_primary_term": True},
    "named queries": {"query": {"match": {"text": {"query": TEXT, "_name": "named"}}}},
    "doc values": {"docvalue_fields": ["number"]},
    "script fields": {"script_fields": {"one": {"script": "1"}}},
    "suggest": {"suggest": {"s": {"text": "wintr", "term": {"field": "text"}}}},
    "post filter": {"post_filter": {"term": {"subject": "loom"}}},
    "minimum score": {"min_score": 2.0},
    "terminate after": {"terminate_after": 150},
    "no hits": {"query": {"match": {"text": "xylophone"}}},
    "unmapped field": {"query": {"match": {"nowhere": TEXT}}},
}


@pytest.mark.parametrize("extra", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_all_but_the_order_is_as_the_engine_made_it(
    opensearch: OpenSearch, stored: Articles, extra: dict[str, Any]
) -> None:
    body = {"query": QUERY, "size": EVERYTHING, **extra}
    before, after = (call(opensearch, stored.index, body) for call in (plain, search))
    assert but_order(after.body) == but_order(before.body)
    assert {hit["_id"]: content(hit) for hit in after.hits} == {
        hit["_id"]: content(hit) for hit in before.hits
    }
    nothing = body["size"] == 0 or not before.hits
    assert after.said["status"] == ("passed_through" if nothing else "reranked")
    if nothing:
        assert after.said["reason"] == ("size_0" if body["size"] == 0 else "no_hits")


def test_a_field_sort_is_passed_through(opensearch: OpenSearch, stored: Articles) -> None:
    body = {**BODY, "sort": ["number"], "search_after": [20]}
    before, after = (call(opensearch, stored.index, body) for call in (plain, search))
    assert after.body["hits"] == before.body["hits"]
    assert (after.said["status"], after.said["reason"]) == ("passed_through", "sorted_by_field")
    assert "detail" not in after.said


def test_a_scroll_is_passed_through(opensearch: OpenSearch, articles: Articles) -> None:
    body = {**BODY, "size": 5}
    before, after = (
        call(opensearch, articles.index, body, scroll="1m") for call in (plain, search)
    )
    assert after.hits == before.hits
    assert after.said["reason"] == "scroll"
    more = opensearch.scroll(body={"scroll_id": after.body["_scroll_id"]})
    assert len(more["hits"]["hits"]) == 5
    for one in (before, after):
        opensearch.clear_scroll(body={"scroll_id": one.body["_scroll_id"]}, ignore=404)


def test_sorting_by_the_score_is_the_default_order(
    opensearch: OpenSearch, articles: Articles
) -> None:
    sorted_ = search(opensearch, articles.index, {**BODY, "sort": ["_score"]})
    assert sorted_.ids == search(opensearch, articles.index, BODY).ids
    assert sorted_.said["status"] == "reranked"


def test_a_collapsed_page_is_put_in_order_after_the_fetch(
    opensearch: OpenSearch, stored: Articles
) -> None:
    body = {**BODY, "collapse": {"field": "view"}}
    ext = {"fusion": {"query": 1.0}}
    before = plain(opensearch, stored.index, body)
    after = search(opensearch, stored.index, body, ext=ext)
    assert (after.said["status"], after.said["method"]) == ("reranked", "reorder")
    assert sorted(after.ids) == sorted(before.ids)
    assert after.ids != before.ids
    # The same hits by themselves, in the order of their similarity.
    among = {"bool": {"must": [QUERY], "filter": [{"ids": {"values": before.ids}}]}}
    rescored = search(opensearch, stored.index, {**BODY, "query": among}, ext={**ext})
    assert after.ids == rescored.ids
    by_id = {hit["_id"]: hit for hit in before.hits}
    assert after.hits == [by_id[one] for one in after.ids]
    page = search(opensearch, stored.index, {**body, "from": 2, "size": 3}, ext=ext)
    assert page.ids == after.ids[2:5]
    assert page.body["hits"]["total"] == before.body["hits"]["total"]


def test_a_hybrid_querys_page_is_put_in_order_after_the_fetch(
    opensearch: OpenSearch, sidecar: str, stored: Articles
) -> None:
    normalized = {
        "phase_results_processors": [{"normalization-processor": {}}],
    }
    opensearch.search_pipeline.put(id="normalized", body=normalized)
    both = {**normalized, "request_processors": [{"rankside": {"url": sidecar, "timeout": "30s"}}]}
    opensearch.search_pipeline.put(id="both", body=both)
    query = {"hybrid": {"queries": [QUERY, {"match": {"title": TEXT}}]}}
    body = {"query": query, "_source": False, "size": 20}
    ext = {"fusion": {"query": 1.0}}
    before = search(opensearch, stored.index, body, pipeline="normalized")
    after = search(opensearch, stored.index, body, pipeline="both", ext=ext)
    assert (after.said["status"], after.said["method"]) == ("reranked", "reorder")
    # In first-stage order 100 hits are looked at, so another 20 may come to the top.
    deep = search(opensearch, stored.index, {**body, "size": 100}, pipeline="normalized")
    assert set(after.ids) <= set(deep.ids)
    assert after.ids != before.ids
    whole = search(opensearch, stored.index, {**body, "size": 100}, pipeline="both", ext=ext)
    assert whole.ids[:20] == after.ids
    assert sorted(whole.ids) == sorted(deep.ids)


def test_a_hybrid_query_without_normalization_is_passed_through(
    opensearch: OpenSearch, articles: Articles
) -> None:
    query = {"hybrid": {"queries": [QUERY, {"match": {"title": TEXT}}]}}
    after = search(opensearch, articles.index, {"query": query, "size": 5})
    assert after.said["reason"] == "hybrid_not_normalized"
    assert "normalization-processor" in after.said["detail"]
    assert len(after.hits) == 5


def test_a_multi_search_reranks_each_of_its_searches(
    opensearch: OpenSearch, articles: Articles
) -> None:
    body = {**BODY, "search_pipeline": PIPELINE}
    head = {"index": articles.index}
    answer = opensearch.msearch(body=[head, body, head, {**BODY, "search_pipeline": "_none"}])
    first, second = answer["responses"]
    assert first["ext"]["rankside"]["status"] == "reranked"
    assert [hit["_id"] for hit in first["hits"]["hits"]] == search(
        opensearch, articles.index, BODY
    ).ids
    assert "ext" not in second


def test_a_point_in_time_is_searched_as_it_was(opensearch: OpenSearch, stored: Articles) -> None:
    made = opensearch.create_pit(index=stored.index, params={"keep_alive": "1m"})
    try:
        body = {**BODY, "pit": {"id": made["pit_id"]}, "search_pipeline": PIPELINE}
        answer = opensearch.search(body=body)
        assert answer["ext"]["rankside"]["status"] == "reranked"
        assert [hit["_id"] for hit in answer["hits"]["hits"]] == search(
            opensearch, stored.index, BODY
        ).ids
    finally:
        opensearch.delete_pit(body={"pit_id": [made["pit_id"]]})


def test_the_users_own_rescore_comes_first(opensearch: OpenSearch, articles: Articles) -> None:
    rescore = {"window_size": 50, "query": {"rescore_query": {"term": {"subject": "loom"}}}}
    body = {**BODY, "rescore": rescore, "size": 50}
    ext = {"window": 20, "fusion": {"query": 1.0}}
    before, after = (
        plain(opensearch, articles.index, body),
        search(opensearch, articles.index, body, ext=ext),
    )
    assert before.ids != plain(opensearch, articles.index, {**BODY, "size": 50}).ids
    assert sorted(after.ids[:20]) == sorted(before.ids[:20])
    assert after.ids[20:] == before.ids[20:]


def test_a_request_with_derived_fields_is_put_in_order_after_the_fetch(
    opensearch: OpenSearch, articles: Articles
) -> None:
    script = {"source": 'emit(params._source["view"])'}
    body = {**BODY, "derived": {"d": {"type": "keyword", "script": script}}, "fields": ["d"]}
    after = search(opensearch, articles.index, body)
    assert after.said["method"] == "reorder"
    assert all(hit["fields"]["d"] for hit in after.hits)
    assert after.ids == search(opensearch, articles.index, BODY).ids


def test_explain_says_where_each_hit_was(opensearch: OpenSearch, stored: Articles) -> None:
    body = {**BODY, "explain": True, "size": 20}
    before, after = (call(opensearch, stored.index, body) for call in (plain, search))
    places = {hit["_id"]: (rank, hit["_score"]) for rank, hit in enumerate(before.hits, start=1)}
    seen = 0
    for hit in after.hits:
        assert hit["_explanation"]["value"] == pytest.approx(hit["_score"])
        (stood,) = hit["fields"]["rankside"]
        if hit["_id"] in places:
            assert (stood["first_stage_rank"], stood["first_stage_score"]) == places[hit["_id"]]
            seen += 1
    assert seen > 0
    assert "fields" not in search(opensearch, stored.index, BODY).hits[0]


def test_profile_is_the_engines(opensearch: OpenSearch, articles: Articles) -> None:
    after = search(opensearch, articles.index, {**BODY, "profile": True})
    assert after.said["status"] == "reranked"
    (shard,) = after.body["profile"]["shards"]
    assert shard["searches"][0]["query"][0]["type"] == "BooleanQuery"


def test_an_index_can_name_the_pipeline_itself(opensearch: OpenSearch, articles: Articles) -> None:
    setting = "index.search.default_pipeline"
    opensearch.indices.put_settings(index=articles.index, body={setting: PIPELINE})
    try:
        answer = opensearch.search(index=articles.index, body=BODY)
        assert answer["ext"]["rankside"]["status"] == "reranked"
    finally:
        opensearch.indices.put_settings(index=articles.index, body={setting: None})
    assert "ext" not in opensearch.search(index=articles.index, body=BODY)


TEXTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "said": ({"query": {"match_all": {}}}, {"query_text": TEXT}),
    "at a path": ({"query": QUERY}, {"query_text_path": "query.match.text.query"}),
    "in a list": (
        {"query": {"bool": {"should": [QUERY, {"match": {"title": "other words"}}]}}},
        {"query_text_path": "query.bool.should.0.match.text.query"},
    ),
}


@pytest.mark.parametrize(("body", "ext"), TEXTS.values(), ids=TEXTS)
def test_the_text_to_rank_for_can_be_said(
    opensearch: OpenSearch, articles: Articles, body: dict[str, Any], ext: dict[str, Any]
) -> None:
    wanted = search(
        opensearch, articles.index, {**body, "size": 20}, ext={**ext, "fusion": {"query": 1.0}}
    )
    same = search(
        opensearch,
        articles.index,
        {**body, "size": 20},
        ext={"query_text": TEXT, "fusion": {"query": 1.0}},
    )
    assert wanted.said["status"] == "reranked"
    assert wanted.ids == same.ids


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no text": ({"query": {"match_all": {}}}, {}, "no full-text clause"),
    "no body": ({}, {}, "no full-text clause"),
    "two texts": (
        {"query": {"bool": {"must": [QUERY, {"match": {"title": "other"}}]}}},
        {},
        "2 different texts",
    ),
    "empty path": ({"query": QUERY}, {"query_text_path": "query.match.title"}, "has no text at"),
    "typing error": ({"query": QUERY}, {"windw": 5}, "no parameter windw"),
    "address": ({"query": QUERY}, {"url": "http://127.0.0.1:1"}, "no parameter url"),
    "key": ({"query": QUERY}, {"auth": "other"}, "no parameter auth"),
    "window": ({"query": QUERY}, {"window": 0}, "whole number from 1 to 10000"),
    "strategy": (
        {"query": QUERY},
        {"strategy": "best"},
        "one of e2rank, insertrank, cascade, none",
    ),
    "timeout": ({"query": QUERY}, {"timeout": "fast"}, "a time above 0"),
    "weights": ({"query": QUERY}, {"fusion": [1]}, "weights by signal"),
}


@pytest.mark.parametrize(("body", "ext", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_told_so(
    opensearch: OpenSearch,
    articles: Articles,
    body: dict[str, Any],
    ext: dict[str, Any],
    sentence: str,
) -> None:
    with pytest.raises(RequestError, match=sentence) as refused:
        search(opensearch, articles.index, body, ext=ext)
    assert refused.value.status_code == 400


def test_a_search_may_not_bring_a_processor_that_names_a_sidecar(
    opensearch: OpenSearch, sidecar: str, articles: Articles
) -> None:
    own = {"request_processors": [{"rankside": {"url": sidecar}}]}
    with pytest.raises(RequestError, match="may not bring a rankside processor") as refused:
        opensearch.search(index=articles.index, body={**BODY, "search_pipeline": own})
    assert refused.value.status_code == 400


def test_an_index_that_is_not_there_is_the_engines_error(opensearch: OpenSearch) -> None:
    with pytest.raises(NotFoundError, match="no such index"):
        search(opensearch, "nowhere", BODY)


def test_a_query_the_engine_refuses_is_the_engines_error(
    opensearch: OpenSearch, articles: Articles
) -> None:
    query = {"query_string": {"query": "a AND (", "default_field": "text"}}
    with pytest.raises(RequestError, match="Failed to parse query"):
        search(opensearch, articles.index, {"query": query})


def test_no_reranking_can_be_asked_for(opensearch: OpenSearch, articles: Articles) -> None:
    after = search(opensearch, articles.index, BODY, ext={"strategy": "none"})
    assert after.hits == plain(opensearch, articles.index, BODY).hits
    assert after.said["reason"] == "strategy_none"
