"""Searches through the stock pipeline that embeds the query: the engine compares stored vectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta
from evaluation.local_sidecar import free_port
from pipelines.bodies import SidecarTarget
from pipelines.options import PipelineOptions
from pipelines.planning import plan
from plugin.ranking.errors import EngineRejected
from tests.articles import article_documents
from tests.integration.pipelines.steps import applied, resources, sources, write

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "pipelines.md"
QUERY = 'who "mends" it in winter'
ARTICLES = dict(list(article_documents().items())[::8])
SIZE = len(ARTICLES)
WEIGHT = 0.05
SCRIPT = (
    "params.vector.length == 0 ? 0 : 1 + cosineSimilarity(params.vector, doc['rankside_vector'])"
)


def asking(query: str | None = QUERY, **more: Any) -> dict[str, Any]:
    """The search of docs/how-to/pipelines.md, over both fields."""
    script = {"source": SCRIPT, "params": {"vector": []}}
    embedded = {"exists": {"field": "rankside_vector"}}
    return {
        "query": {"multi_match": {"query": QUERY, "fields": ["title", "text"]}},
        "size": SIZE,
        "_source": False,
        "rescore": {
            "window_size": SIZE,
            "query": {
                "query_weight": WEIGHT,
                "rescore_query_weight": 1,
                "rescore_query": {"script_score": {"query": embedded, "script": script}},
            },
        },
        **({} if query is None else {"ext": {"ml_inference": {"query_text": query}}}),
        **more,
    }


async def scores(
    engine: Engine, options: PipelineOptions, body: Mapping[str, Any], **params: str
) -> dict[str, float]:
    """Scores of the hits by their ids, best first."""
    answer = await engine.search(f"{options.name}-docs", body, params=params)
    return {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}


async def query_vector(target: SidecarTarget) -> list[float]:
    body = {"input": QUERY, "input_type": "query", "encoding_format": "float"}
    async with httpx.AsyncClient(base_url=target.url, timeout=60) as sidecar:
        answer = (await sidecar.post("/v1/embeddings", json=body)).raise_for_status().json()
    found: list[float] = answer["data"][0]["embedding"]
    return found


def test_the_page_shows_this_script() -> None:
    assert SCRIPT in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("shards", [1, 3])
async def test_the_score_is_the_cosine_with_the_stored_vector_and_a_share_of_the_first_stage(
    cleaned_opensearch: Engine,
    meta: IndexMeta,
    options: PipelineOptions,
    target: SidecarTarget,
    shards: int,
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    chosen = options.model_copy(update={"shards": shards, "search_timeout": 60})
    await applied(engine, resources(meta, chosen, target))
    await write(engine, index, ARTICLES)
    first = await scores(engine, options, {"query": asking()["query"], "size": SIZE})
    vector = np.array(await query_vector(target))
    found = await engine.search(index, {"query": {"match_all": {}}, "size": SIZE})
    stored = {hit["_id"]: hit["_source"]["rankside_vector"] for hit in found["hits"]["hits"]}
    expected = {
        id_: WEIGHT * score + 1 + float(np.dot(vector, stored[id_])) for id_, score in first.items()
    }

    after = await scores(engine, options, asking(), search_pipeline=f"{options.name}-query")

    assert after == pytest.approx(expected, abs=1e-4)
    assert list(after) != list(first)
    ranked = list(after.values())
    assert ranked == sorted(ranked, reverse=True)


@pytest.mark.parametrize("trouble", ["dead", "another model", "not JSON any more"])
async def test_without_a_vector_the_first_stage_order_stays(
    cleaned_opensearch: Engine,
    meta: IndexMeta,
    options: PipelineOptions,
    target: SidecarTarget,
    trouble: str,
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    await applied(engine, resources(meta, options, target))
    await write(engine, index, ARTICLES)
    if trouble == "dead":
        lost = SidecarTarget(f"http://127.0.0.1:{free_port()}", meta.model)
        await applied(engine, resources(meta, options, lost))
    if trouble == "another model":
        other = meta.model_copy(update={"fingerprint": "f" * 16})
        await applied(engine, resources(other, options, target))
    body = asking('{"a": 1}') if trouble == "not JSON any more" else asking()
    first = await scores(engine, options, {"query": body["query"], "size": SIZE})

    after = await scores(engine, options, body, search_pipeline=f"{options.name}-query")

    assert list(after) == list(first)
    assert after == pytest.approx({id_: WEIGHT * score for id_, score in first.items()}, rel=1e-5)


async def test_a_search_that_does_not_ask_for_it_is_left_alone(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    await applied(engine, resources(meta, options, target))
    await write(engine, index, {"a": {"text": "winter"}, "b": {"text": "winter and frost"}})
    plain = {"query": {"match": {"text": "winter"}}}
    for body in (plain, plain | {"ext": {"ml_inference": {"query_text": "frost"}}}, {"size": 1}):
        first = await scores(engine, options, body)
        after = await scores(engine, options, body, search_pipeline=f"{options.name}-query")
        assert after == first
    assert set(await sources(engine, index)) == {"a", "b"}


async def test_a_neural_query_in_the_rescore_fails_with_the_sidecar(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    wanted = resources(meta, options, target)
    await applied(engine, wanted)
    planned = await plan(engine, wanted)
    name = f"ml-commons model {options.name}-embed"
    (model,) = [one.found for one in planned.changes if one.key == name]
    assert model is not None
    await write(engine, index, {"a": {"text": "winter"}, "b": {"text": "winter and frost"}})
    neural = {"neural": {"rankside_vector": {"query_text": "ice", "model_id": model.id, "k": 2}}}
    body = {
        "query": {"match": {"text": "winter"}},
        "rescore": {"window_size": 2, "query": {"rescore_query": neural}},
    }
    first = await scores(engine, options, {"query": body["query"]})
    assert await scores(engine, options, body) != first
    lost = SidecarTarget(f"http://127.0.0.1:{free_port()}", meta.model)
    await applied(engine, resources(meta, options, lost))
    with pytest.raises(EngineRejected, match="Connection refused"):
        await scores(engine, options, body)
