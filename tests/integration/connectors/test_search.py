"""Reranked searches of both engines through the real sidecar: the order, and all that must stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from connectors.engine import Engine, EngineKind
from connectors.meta import document_text
from connectors.rescore import Place
from connectors.search import Method, Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from plugin.ranking.errors import EngineRejected, UsageError
from plugin.ranking.hits import FusionWeights, Hit, Status, Strategy
from plugin.ranking.wire import ListwiseCall, WireFusion, WireHit
from tests.integration.connectors.conftest import WITHOUT_VECTOR, Stored, documents

TEXT = "why does cold water damage pipes"
QUERY = {"match": {"text": TEXT}}
EVERYTHING = 48
TOLERANCE = 1e-4
LEXICAL = FusionWeights(listwise=1, query=1, first_stage=0.3)
COSINE = FusionWeights(listwise=0, query=1)
ROCCHIO = FusionWeights(listwise=0.5, query=0.5, rocchio=0.5, first_stage=0.05)


def ids(body: Mapping[str, Any]) -> list[str]:
    return [hit["_id"] for hit in body["hits"]["hits"]]


def scores(body: Mapping[str, Any]) -> list[float]:
    return [hit["_score"] for hit in body["hits"]["hits"]]


def but_hits(body: Mapping[str, Any]) -> dict[str, Any]:
    """A response less what a rerank may change, and less what no two responses share."""
    rest = {name: value for name, value in body.items() if name not in {"took", "pit_id"}}
    hits = {k: v for k, v in body["hits"].items() if k not in {"hits", "max_score"}}
    return {**rest, "hits": hits}


def by_id(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Everything of each hit but its score."""
    return {
        hit["_id"]: {k: v for k, v in hit.items() if k != "_score"} for hit in body["hits"]["hits"]
    }


async def first_stage(engine: Engine, stored: Stored, **extra: Any) -> dict[str, Any]:
    return await engine.search(stored.name, {"query": QUERY, "size": EVERYTHING, **extra})


async def formula(
    sidecar: SidecarClient,
    plain: Mapping[str, Any],
    stored: Stored,
    fusion: FusionWeights | None,
    window: Sequence[str] | None = None,
) -> dict[str, float]:
    """What each hit is worth, computed here from the sidecar's answer and the stored vectors."""
    card = await sidecar.model()
    weights = fusion or (card.fusion.to_weights() if card.fusion else FusionWeights())
    prompt = card.prompt_hits if window is None else min(card.prompt_hits, len(window))
    head = plain["hits"]["hits"][:prompt]
    fed = {hit["_id"] for hit in head[: card.rocchio_hits]} if weights.rocchio else set()
    source = documents()
    sent = [
        Hit(
            hit["_id"],
            hit["_score"],
            document_text(source[hit["_id"]], stored.meta.text_fields),
            stored.vectors.get(hit["_id"]) if hit["_id"] in fed else None,
        )
        for hit in head
    ]
    answer = await sidecar.listwise(
        ListwiseCall(
            query=TEXT,
            hits=[WireHit.of(hit) for hit in sent],
            fusion=WireFusion(**weights.as_dict()),
            vector_fingerprint=stored.meta.fingerprint,
        )
    )
    vector = answer.to_vector()
    assert vector is not None
    known = {id_: float(one @ vector) for id_, one in stored.vectors.items()}
    if window is not None:
        known = {id_: known[id_] for id_ in window if id_ in known}
    return {
        hit["_id"]: known.get(hit["_id"], -1.0) + answer.first_stage_weight * hit["_score"]
        for hit in plain["hits"]["hits"]
    }


def assert_falling(order: Sequence[str], worth: Mapping[str, float]) -> None:
    values = np.array([worth[id_] for id_ in order])
    assert (np.diff(values) <= TOLERANCE).all()


@pytest.mark.parametrize(
    "fusion", [None, LEXICAL, COSINE, ROCCHIO], ids=["model", "lexical", "cosine", "rocchio"]
)
async def test_the_engine_orders_by_what_the_sidecar_says(
    searcher: Searcher,
    engine: Engine,
    sidecar: SidecarClient,
    stored: Stored,
    fusion: FusionWeights | None,
) -> None:
    plain = await first_stage(engine, stored)
    result = await searcher.search(
        stored.name, {"query": QUERY, "size": EVERYTHING}, SearchOptions(fusion=fusion)
    )
    assert result.method is Method.RESCORE
    assert result.model == stored.meta.model
    assert set(result.timings_ms) == {"window", "sidecar", "rescore", "total"}
    assert sorted(ids(result.body)) == sorted(ids(plain))
    assert ids(result.body) != ids(plain)
    assert_falling(ids(result.body), await formula(sidecar, plain, stored, fusion))
    assert min(scores(result.body)) >= 0


async def test_script_and_knn_give_one_order(searcher: Searcher, stored: Stored) -> None:
    body = {"query": QUERY, "size": EVERYTHING}
    options = SearchOptions(exact_window=True, fusion=LEXICAL)
    by_knn = await searcher.search(stored.name, body, replace(options, rescore="knn"))
    by_script = await searcher.search(stored.name, body, replace(options, rescore="script"))
    if by_script.status is Status.PASSED_THROUGH:
        assert by_script.reason == "no_scripts"  # the local Elasticsearch has no painless
        by_script = await searcher.search(stored.name, body, options)
    assert by_knn.status is by_script.status
    assert ids(by_knn.body) == ids(by_script.body)
    assert scores(by_knn.body) == pytest.approx(scores(by_script.body), abs=1e-5)


async def test_scripts_are_used_where_the_engine_has_them(
    searcher: Searcher, engine: Engine, sidecar: SidecarClient, stored: Stored
) -> None:
    """A script needs no ids, so that only the prompt hits are fetched."""
    result = await searcher.search(stored.name, {"query": QUERY}, SearchOptions(window=40))
    prompt_hits = (await sidecar.model()).prompt_hits
    scripts = engine.kind is EngineKind.OPENSEARCH
    assert len(result.first_stage) == (prompt_hits if scripts else 40)


@pytest.mark.parametrize("fusion", [COSINE, LEXICAL], ids=["cosine", "lexical"])
@pytest.mark.parametrize("exact", [True, False])
async def test_pages_are_slices_of_one_long_page(
    searcher: Searcher, stored: Stored, fusion: FusionWeights, exact: bool
) -> None:
    options = SearchOptions(window=10, fusion=fusion, exact_window=exact)
    long = await searcher.search(stored.name, {"query": QUERY, "size": EVERYTHING}, options)
    pages: list[str] = []
    for start in range(0, EVERYTHING, 7):
        body = {"query": QUERY, "from": start, "size": 7}
        pages += ids((await searcher.search(stored.name, body, options)).body)
    assert pages == ids(long.body)
    assert len(set(pages)) == EVERYTHING


@pytest.mark.parametrize("fusion", [COSINE, LEXICAL], ids=["cosine", "lexical"])
async def test_an_exact_window_is_global_and_leaves_the_rest_in_first_stage_order(
    searcher: Searcher,
    engine: Engine,
    sidecar: SidecarClient,
    stored: Stored,
    fusion: FusionWeights,
) -> None:
    plain = await first_stage(engine, stored)
    window = ids(plain)[:10]
    result = await searcher.search(
        stored.name,
        {"query": QUERY, "size": EVERYTHING},
        SearchOptions(window=10, exact_window=True, fusion=fusion),
    )
    rescored = [id_ for id_ in window if id_ in stored.vectors]
    head, tail = ids(result.body)[: len(rescored)], ids(result.body)[len(rescored) :]
    assert sorted(head) == sorted(rescored)
    assert tail == [id_ for id_ in ids(plain) if id_ not in rescored]
    assert_falling(head, await formula(sidecar, plain, stored, fusion, window))


async def test_the_engines_window_is_per_shard(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    """By script more is rescored than the window says, never less; k-NN names the window's ids."""
    body = {"query": QUERY, "size": EVERYTHING}
    result = await searcher.search(stored.name, body, SearchOptions(window=10, fusion=COSINE))
    rescored = sum(score > 0.01 for score in scores(result.body))
    window = ids(await first_stage(engine, stored))[:10]
    if engine.kind is EngineKind.OPENSEARCH:
        assert 10 < rescored <= 30
    else:  # the local node has no scripts
        assert rescored == sum(id_ in stored.vectors for id_ in window)


async def test_the_rest_of_the_response_is_the_engines_own(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    body = {
        "query": QUERY,
        "size": EVERYTHING,
        "aggs": {"places": {"terms": {"field": "place", "size": 20}}},
        "highlight": {"fields": {"text": {}}},
        "_source": False,
        "fields": ["title", "number"],
        "post_filter": {"range": {"number": {"lt": 40}}},
    }
    plain = await engine.search(stored.name, body)
    result = await searcher.search(stored.name, body)
    assert result.method is Method.RESCORE
    assert but_hits(result.body) == but_hits(plain)
    assert by_id(result.body) == by_id(plain)
    assert ids(result.body) != ids(plain)


async def test_untracked_totals_stay_untracked(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    body = {"query": QUERY, "track_total_hits": False}
    plain = await engine.search(stored.name, body)
    result = await searcher.search(stored.name, body)
    assert "total" not in result.body["hits"]
    assert but_hits(result.body) == but_hits(plain)


async def test_a_minimum_score_means_the_first_stages(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    middle = scores(await first_stage(engine, stored))[EVERYTHING // 2]
    plain = await first_stage(engine, stored, min_score=middle)
    result = await searcher.search(
        stored.name, {"query": QUERY, "size": EVERYTHING, "min_score": middle}
    )
    assert but_hits(result.body) == but_hits(plain)
    assert sorted(ids(result.body)) == sorted(ids(plain))
    assert len(ids(plain)) < EVERYTHING


async def test_documents_without_a_vector_come_last_and_are_told_of(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    plain = await first_stage(engine, stored)
    result = await searcher.search(
        stored.name, {"query": QUERY, "size": EVERYTHING}, SearchOptions(explain=True)
    )
    assert result.status is Status.PARTIAL
    assert result.reason == f"not_embedded:{len(WITHOUT_VECTOR)}"
    last = [id_ for id_ in ids(plain) if id_ in WITHOUT_VECTOR]
    assert ids(result.body)[-len(WITHOUT_VECTOR) :] == last
    assert result.first_stage == {
        Place(hit["_index"], hit["_id"]): result.first_stage[Place(stored.name, hit["_id"])]
        for hit in plain["hits"]["hits"]
    }
    assert [one.rank for one in result.first_stage.values()] == list(range(1, EVERYTHING + 1))
    assert [one.score for one in result.first_stage.values()] == scores(plain)


async def test_no_hits_cost_no_call(searcher: Searcher, stored: Stored) -> None:
    body = {"query": {"match": {"text": "zeppelin"}}}
    result = await searcher.search(stored.name, body)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "no_hits")
    assert "sidecar" not in result.timings_ms
    assert ids(result.body) == []


async def test_the_strategy_none_is_the_request_itself(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    options = SearchOptions(strategy=Strategy.NONE)
    result = await searcher.search(stored.name, {"query": QUERY}, options)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "strategy_none")
    assert result.body["hits"] == (await engine.search(stored.name, {"query": QUERY}))["hits"]


@pytest.mark.parametrize(
    ("extra", "params", "reason"),
    [
        ({"size": 0}, {}, "size_0"),
        ({}, {"size": 0}, "size_0"),
        ({"sort": ["number"]}, {}, "sorted_by_field"),
        ({"sort": ["_score", "number"]}, {}, "sorted_by_field"),
        ({}, {"sort": "number:desc"}, "sorted_by_field"),
        ({"sort": [{"_score": "desc"}, "number"], "search_after": [0.1, 3]}, {}, "sorted_by_field"),
        ({}, {"scroll": "1m"}, "scroll"),
    ],
)
async def test_what_has_no_order_of_ours_passes_through(
    searcher: Searcher,
    engine: Engine,
    stored: Stored,
    extra: dict[str, Any],
    params: dict[str, Any],
    reason: str,
) -> None:
    body = {"query": QUERY, **extra}
    plain = await engine.search(stored.name, body, params=params)
    result = await searcher.search(stored.name, body, params=params)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, reason)
    assert result.body["hits"] == plain["hits"]
    assert result.timings_ms.keys() == {"rescore", "total"}
    for answer in (plain, result.body):
        if "_scroll_id" in answer:
            ended = {"scroll_id": answer["_scroll_id"]}
            await engine.request("DELETE", "/_search/scroll", body=ended)


async def test_sorted_by_score_alone_is_reranked(searcher: Searcher, stored: Stored) -> None:
    default = await searcher.search(stored.name, {"query": QUERY})
    result = await searcher.search(stored.name, {"query": QUERY, "sort": [{"_score": "desc"}]})
    assert result.method is Method.RESCORE
    assert ids(result.body) == ids(default.body)


async def test_paging_by_parameters_of_the_address(searcher: Searcher, stored: Stored) -> None:
    whole = await searcher.search(stored.name, {"query": QUERY, "size": 20})
    result = await searcher.search(
        stored.name, {"query": QUERY}, params={"from": 5, "size": 5, "preference": "_local"}
    )
    assert ids(result.body) == ids(whole.body)[5:10]


async def test_a_query_of_the_address_is_searched_and_ranked_for(
    searcher: Searcher, stored: Stored
) -> None:
    result = await searcher.search(stored.name, {}, params={"q": "water", "df": "text"})
    assert result.method is Method.RESCORE


async def test_collapsed_groups_are_put_in_order_after_the_fetch(
    searcher: Searcher, engine: Engine, sidecar: SidecarClient, stored: Stored
) -> None:
    body = {"query": QUERY, "collapse": {"field": "place"}, "size": 20}
    plain = await engine.search(stored.name, body)
    result = await searcher.search(stored.name, body)
    assert result.method is Method.REORDER
    assert but_hits(result.body) == but_hits(plain)
    assert by_id(result.body) == by_id(plain)
    assert len(ids(result.body)) == 16
    worth = await formula(sidecar, plain, stored, None)
    assert_falling(ids(result.body), worth)
    page = await searcher.search(stored.name, {**body, "from": 4, "size": 3})
    assert ids(page.body) == ids(result.body)[4:7]


async def test_reordered_pages_beyond_the_window_are_the_first_stages(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    body = {"query": QUERY, "collapse": {"field": "place"}}
    plain = await engine.search(stored.name, {**body, "size": 20})
    options = SearchOptions(window=6)
    pages: list[str] = []
    for start in range(0, 16, 4):
        page = {**body, "from": start, "size": 4}
        pages += ids((await searcher.search(stored.name, page, options)).body)
    assert sorted(pages[:6]) == sorted(ids(plain)[:6])
    assert pages[6:] == ids(plain)[6:]


async def test_a_rescore_of_the_users_own_comes_first(
    searcher: Searcher, engine: Engine, sidecar: SidecarClient, stored: Stored
) -> None:
    own = {
        "window_size": EVERYTHING,
        "query": {"rescore_query": {"term": {"place": "glacier"}}, "rescore_query_weight": 9},
    }
    plain = await first_stage(engine, stored, rescore=own)
    assert {documents()[id_]["place"] for id_ in ids(plain)[:3]} == {"glacier"}
    for rescore in (own, [own]):
        body = {"query": QUERY, "size": EVERYTHING, "rescore": rescore}
        result = await searcher.search(stored.name, body, SearchOptions(fusion=LEXICAL))
        assert_falling(ids(result.body), await formula(sidecar, plain, stored, LEXICAL))


async def test_a_point_in_time_is_searched_as_it_was(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    opensearch = engine.kind is EngineKind.OPENSEARCH
    path = "_search/point_in_time" if opensearch else "_pit"
    opened = await engine.request("POST", f"/{stored.name}/{path}", params={"keep_alive": "1m"})
    pit = opened["pit_id"] if opensearch else opened["id"]
    result = await searcher.search(stored.name, {"query": QUERY, "pit": {"id": pit}})
    assert result.method is Method.RESCORE
    assert ids(result.body) == ids((await searcher.search(stored.name, {"query": QUERY})).body)
    closing = {"pit_id": [pit]} if opensearch else {"id": pit}
    await engine.request(
        "DELETE", f"/{'_search/point_in_time' if opensearch else '_pit'}", body=closing
    )


async def test_text_that_cannot_be_read_is_asked_for(searcher: Searcher, stored: Stored) -> None:
    with pytest.raises(UsageError, match="query_text"):
        await searcher.search(stored.name, {"query": {"match_all": {}}})
    options = SearchOptions(query_text=TEXT)
    result = await searcher.search(stored.name, {"query": {"match_all": {}}}, options)
    assert result.method is Method.RESCORE


async def test_a_wrong_request_is_the_engines_to_refuse(searcher: Searcher, stored: Stored) -> None:
    with pytest.raises(EngineRejected) as caught:
        await searcher.search(stored.name, {"query": {"match": {"text": TEXT}}, "sizzle": 3})
    assert caught.value.status == 400
    with pytest.raises(EngineRejected) as caught:
        await searcher.search("test-connectors-none", {"query": QUERY})
    assert caught.value.status == 404


async def test_fields_named_by_the_caller_win(searcher: Searcher, stored: Stored) -> None:
    """As for an index that another program filled."""
    options = SearchOptions(vector_field="nothing", text_fields=("text",))
    result = await searcher.search(stored.name, {"query": QUERY}, options)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "no_vectors")
    options = SearchOptions(
        vector_field="rankside_vector", text_fields=("text",), fingerprint="another"
    )
    result = await searcher.search(stored.name, {"query": QUERY}, options)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "stale_vectors")


async def test_an_llms_order_comes_back_as_a_rescore_by_id(
    searcher: Searcher, engine: Engine, stored: Stored
) -> None:
    plain = await first_stage(engine, stored)
    options = SearchOptions(strategy=Strategy.INSERTRANK, window=12)
    body = {"query": QUERY, "size": EVERYTHING}
    result = await searcher.search(stored.name, body, options)
    assert (result.status, result.method) == (Status.RERANKED, Method.RESCORE)
    assert result.model == "reverser"
    assert ids(result.body) == [*ids(plain)[:12][::-1], *ids(plain)[12:]]
    assert but_hits(result.body) == but_hits(plain)
    page = {"query": QUERY, "from": 10, "size": 5}
    assert ids((await searcher.search(stored.name, page, options)).body) == ids(result.body)[10:15]


async def test_a_cascade_is_e2rank_with_an_llms_head(searcher: Searcher, stored: Stored) -> None:
    options = SearchOptions(window=30, exact_window=True)
    body = {"query": QUERY, "size": EVERYTHING}
    first = await searcher.search(stored.name, body, options)
    result = await searcher.search(stored.name, body, replace(options, strategy=Strategy.CASCADE))
    assert result.model == f"{stored.meta.model} > reverser"
    assert ids(result.body) == [*ids(first.body)[:20][::-1], *ids(first.body)[20:]]
    short = replace(options, strategy=Strategy.CASCADE, head=5)
    headed = await searcher.search(stored.name, body, short)
    assert ids(headed.body) == [*ids(first.body)[:5][::-1], *ids(first.body)[5:]]
