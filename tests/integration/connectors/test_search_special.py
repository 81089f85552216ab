"""Several indices, queries that engines do not rescore rightly, search pipelines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectors.engine import Engine, EngineKind
from connectors.search import Method, OnFailure, Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from pipelines.definitions import VectorOptions, index_body
from plugin.ranking.errors import EngineRejected
from plugin.ranking.hits import FusionWeights, Status, Strategy
from tests.integration.connectors.conftest import Stored, fill

TEXT = "why does cold water damage pipes"
QUERY = {"match": {"text": TEXT}}
COSINE = FusionWeights(listwise=0, query=1)

on_opensearch = pytest.mark.parametrize("engine_url", [EngineKind.OPENSEARCH], indirect=True)
on_elasticsearch = pytest.mark.parametrize("engine_url", [EngineKind.ELASTICSEARCH], indirect=True)

MakePipeline = Callable[[Mapping[str, Any]], Awaitable[str]]


@pytest.fixture
async def search_pipeline(engine: Engine, scratch: str) -> AsyncIterator[MakePipeline]:
    """Makes a search pipeline for the length of a test."""
    path = f"/_search/pipeline/{scratch}"

    async def make(body: Mapping[str, Any]) -> str:
        await engine.request("PUT", path, body=body)
        return scratch

    yield make
    await engine.request("DELETE", path)


def addresses(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(hit["_index"], hit["_id"]) for hit in body["hits"]["hits"]]


async def make(
    engine: Engine, name: str, properties: Mapping[str, Any], sources: Mapping[str, Any]
) -> None:
    mappings = {"properties": {"text": {"type": "text"}, **properties}}
    settings = {"number_of_replicas": 0, "number_of_shards": 1}
    await engine.request("PUT", f"/{name}", body={"settings": settings, "mappings": mappings})
    lines: list[Any] = []
    for id_, source in sources.items():
        lines += [{"index": {"_id": id_}}, source]
    outcome = await engine.bulk(name, lines)
    assert not any(item.error for item in outcome.items)
    await engine.request("POST", f"/{name}/_refresh")


async def test_the_same_id_in_two_indices_is_two_hits(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    """An LLM's order names hits by id, and moves none of the same name in another index."""
    twin = replace(stored, name=f"{scratch}-twin")
    await fill(engine, twin, 1)
    both = f"{stored.name},{twin.name}"
    plain = await engine.search(both, {"query": QUERY, "size": 96})
    options = SearchOptions(strategy=Strategy.INSERTRANK, window=9)
    result = await searcher.search(both, {"query": QUERY, "size": 96}, options)
    order = addresses(plain)
    assert len({id_ for _, id_ in order[:9]}) < 9 or len({name for name, _ in order[:9]}) == 2
    assert addresses(result.body) == [*order[:9][::-1], *order[9:]]
    exact = SearchOptions(window=9, exact_window=True, fusion=COSINE)
    result = await searcher.search(both, {"query": QUERY, "size": 96}, exact)
    rescored = [one for one in order[:9] if one[1] in stored.vectors]
    assert sorted(addresses(result.body)[: len(rescored)]) == sorted(rescored)
    assert addresses(result.body)[len(rescored) :] == [one for one in order if one not in rescored]


async def test_an_index_without_vectors_beside_one_with(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    await make(engine, scratch, {}, {"1": {"text": "cold water"}, "x": {"text": "water damage"}})
    both = f"{stored.name},{scratch}"
    body = {"query": QUERY, "size": 60, "track_total_hits": True}
    plain = await engine.search(both, body)
    result = await searcher.search(both, body)
    assert result.status is Status.PARTIAL
    assert f"no_vectors_in:{scratch}" in (result.reason or "")
    assert result.body["hits"]["total"] == plain["hits"]["total"] == {"value": 50, "relation": "eq"}
    assert sorted(addresses(result.body)) == sorted(addresses(plain))
    assert {(scratch, "1"), (scratch, "x")} <= set(addresses(result.body)[-4:])


async def test_a_rescore_that_fails_on_some_shards_is_taken_back(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    """OpenSearch's k-NN query fails where the field is not mapped: hits would go missing."""
    await make(engine, scratch, {}, {"1": {"text": "cold water"}})
    both = f"{stored.name},{scratch}"
    options = SearchOptions(rescore="knn")
    result = await searcher.search(both, {"query": QUERY, "size": 60}, options)
    assert len(addresses(result.body)) == 49
    assert result.body["_shards"]["failed"] == 0
    if engine.kind is EngineKind.OPENSEARCH:
        assert result.reason == "rescore_failed_on_shards:1"
        assert "the rescore failed on 1 shards" in (result.detail or "")
        failing = SearchOptions(rescore="knn", on_failure=OnFailure.FAIL)
        with pytest.raises(EngineRejected, match="the rescore failed on 1 shards"):
            await searcher.search(both, {"query": QUERY, "size": 60}, failing)
    else:
        assert result.method is Method.RESCORE


async def test_indices_of_different_models_pass_through(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    other = stored.meta.model_copy(update={"fingerprint": "f" * 16})
    await fill(engine, Stored(scratch, other, stored.vectors), 1)
    both = f"{stored.name},{scratch}"
    result = await searcher.search(both, {"query": QUERY})
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "mixed_indices")
    assert result.detail is not None
    assert "backfill" in result.detail


async def test_an_index_without_any_vector_passes_through(
    searcher: Searcher, engine: Engine, scratch: str
) -> None:
    await make(engine, scratch, {}, {"1": {"text": "cold water"}})
    for options, reason in (
        (SearchOptions(), "no_text_fields"),
        (SearchOptions(text_fields=("text",)), "no_vectors"),
    ):
        result = await searcher.search(scratch, {"query": QUERY}, options)
        assert (result.status, result.reason) == (Status.PASSED_THROUGH, reason)
    llm = SearchOptions(text_fields=("text",), strategy=Strategy.INSERTRANK)
    result = await searcher.search(scratch, {"query": QUERY}, llm)
    assert result.status is Status.RERANKED


async def test_vectors_that_another_program_wrote(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    """No ``_meta`` and the engine's default similarity: fields and model are the caller's word."""
    vector = next(iter(stored.vectors.values()))
    length = {"dimension": vector.size} if engine.kind is EngineKind.OPENSEARCH else {}
    kind = "knn_vector" if engine.kind is EngineKind.OPENSEARCH else "dense_vector"
    mapping = {"type": kind, **(length or {"dims": vector.size})}
    sources = {
        id_: {"text": f"cold water, note {id_}", "mine": stored.vectors[id_].tolist()}
        for id_ in list(stored.vectors)[:5]
    }
    await make(engine, scratch, {"mine": mapping}, sources)
    options = SearchOptions(text_fields=("text",), vector_field="mine")
    result = await searcher.search(scratch, {"query": QUERY}, options)
    assert (result.status, result.method) == (Status.RERANKED, Method.RESCORE)
    told = replace(options, rescore="knn")
    result = await searcher.search(scratch, {"query": QUERY}, told)
    if engine.kind is EngineKind.OPENSEARCH:  # its default is the Euclidean distance
        assert result.reason == "similarity_not_cosine"
    else:
        assert result.method is Method.RESCORE


@on_elasticsearch
@pytest.mark.parametrize("quantization", ["hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw"])
async def test_quantized_vectors_are_compared_exactly(
    searcher: Searcher,
    engine: Engine,
    sidecar: SidecarClient,
    stored: Stored,
    scratch: str,
    quantization: str,
) -> None:
    vectors = VectorOptions.model_validate({"quantization": quantization})
    body = index_body(engine.kind, stored.meta, replicas=0, vectors=vectors)
    await engine.request("PUT", f"/{scratch}", body=body)
    lines: list[Any] = []
    for id_, vector in stored.vectors.items():
        source = {"text": f"cold water {id_}", stored.meta.vector_field: vector.tolist()}
        lines += [{"index": {"_id": id_}}, source]
    await engine.bulk(scratch, lines)
    await engine.request("POST", f"/{scratch}/_refresh")
    query = (await sidecar.embed_queries([TEXT]))[0]
    options = SearchOptions(fusion=COSINE)
    result = await searcher.search(scratch, {"query": QUERY, "size": 50}, options)
    assert result.reason == f"not_embedded:{len(stored.vectors)}"  # as nothing says by what
    cosines = {id_: float(vector @ query) for id_, vector in stored.vectors.items()}
    got = {hit["_id"]: hit["_score"] - 1 for hit in result.body["hits"]["hits"]}
    assert got == pytest.approx(cosines, abs=1e-5)


async def test_an_alias_that_moves_is_seen(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    alias, twin = f"{scratch}-alias", replace(stored, name=f"{scratch}-twin")
    await fill(engine, twin, 1)
    add = {"add": {"index": stored.name, "alias": alias}}
    await engine.request("POST", "/_aliases", body={"actions": [add]})
    assert (await searcher.search(alias, {"query": QUERY})).method is Method.RESCORE
    swap = [
        {"remove": {"index": stored.name, "alias": alias}},
        {"add": {"index": twin.name, "alias": alias}},
    ]
    await engine.request("POST", "/_aliases", body={"actions": swap})
    seen = await searcher.search(alias, {"query": QUERY})
    assert (seen.status, seen.reason) == (Status.PASSED_THROUGH, "index_changed")
    assert (await searcher.search(alias, {"query": QUERY})).method is Method.RESCORE


@on_opensearch
async def test_hybrid_queries_are_put_in_order_after_the_fetch(
    searcher: Searcher, engine: Engine, stored: Stored, search_pipeline: MakePipeline
) -> None:
    vector = stored.vectors["1"].tolist()
    parts = [QUERY, {"knn": {stored.meta.vector_field: {"vector": vector, "k": 30}}}]
    normalization = {"normalization-processor": {"combination": {"technique": "arithmetic_mean"}}}
    name = await search_pipeline({"phase_results_processors": [normalization]})
    params = {"search_pipeline": name}
    body = {"query": {"hybrid": {"queries": parts}}, "size": 48, "_source": ["title"]}
    plain = await engine.search(stored.name, body, params=params)
    result = await searcher.search(stored.name, body, params=params)
    assert result.method is Method.REORDER
    assert sorted(addresses(result.body)) == sorted(addresses(plain))
    assert addresses(result.body) != addresses(plain)
    assert len(set(addresses(result.body))) == 48


@on_opensearch
async def test_a_default_search_pipeline_works_on_the_answer_not_on_the_window(
    searcher: Searcher,
    engine: Engine,
    sidecar: SidecarClient,
    stored: Stored,
    search_pipeline: MakePipeline,
    scratch: str,
) -> None:
    """A pipeline that returns two hits of any search would leave two for the prompt."""
    await fill(engine, replace(stored, name=scratch), 1)
    name = await search_pipeline({"response_processors": [{"truncate_hits": {"target_size": 2}}]})
    settings = {"index.search.default_pipeline": name}
    await engine.request("PUT", f"/{scratch}/_settings", body=settings)
    result = await searcher.search(scratch, {"query": QUERY})
    assert result.method is Method.RESCORE
    assert len(addresses(result.body)) == 2
    assert len(result.first_stage) == (await sidecar.model()).prompt_hits > 2
    await engine.request("DELETE", f"/{scratch}")


@on_elasticsearch
@pytest.mark.parametrize("inner", ["standard", "knn"])
async def test_retrievers_are_put_in_order_after_the_fetch(
    searcher: Searcher, engine: Engine, stored: Stored, inner: str
) -> None:
    vector = stored.vectors["1"].tolist()
    field = stored.meta.vector_field
    knn = {"field": field, "query_vector": vector, "k": 30, "num_candidates": 48}
    body = {
        "retriever": {"standard": {"query": QUERY}} if inner == "standard" else {"knn": knn},
        "size": 48,
        "aggs": {"places": {"terms": {"field": "place"}}},
    }
    plain = await engine.search(stored.name, body)
    options = SearchOptions(query_text=TEXT)
    result = await searcher.search(stored.name, body, options)
    assert result.method is Method.REORDER
    assert result.body["aggregations"] == plain["aggregations"]
    assert sorted(addresses(result.body)) == sorted(addresses(plain))
    page = await searcher.search(stored.name, {**body, "from": 7, "size": 5}, options)
    assert addresses(page.body) == addresses(result.body)[7:12]
