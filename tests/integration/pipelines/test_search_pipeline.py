"""Searches through the stock search pipeline: the order of a reranker, or the engine's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta
from evaluation.local_sidecar import free_port
from pipelines.bodies import SidecarTarget
from pipelines.options import Part, PipelineOptions
from plugin.ranking.hits import FusionWeights
from plugin.sidecar.texts import unit_score
from tests.articles import article_documents
from tests.integration.pipelines.steps import applied, resources, write
from tests.serving import serving

QUERIES = (
    "how do I mend a broken loom in winter",
    'what "frost" asks of the beekeeper\'s hive',
    "costs of a vineyard \\ a year",
)
SIZE = 30

Messages = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def filled(
    engine: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget, shards: int
) -> str:
    """An index of the articles beside the search pipeline; its name."""
    wanted = resources(meta, options, target)
    await applied(engine, [one for one in wanted if one.part is Part.SEARCH])
    index = f"{options.name}-docs"
    body = {"settings": {"index": {"number_of_shards": shards, "number_of_replicas": 0}}}
    await engine.request("PUT", f"/{index}", body=body)
    await write(engine, index, article_documents())
    return index


def asking(query: str, **more: Any) -> dict[str, Any]:
    """A search for ``query`` in both fields, with the words the processor needs."""
    return {
        "query": {"multi_match": {"query": query, "fields": ["title", "text"]}},
        "size": SIZE,
        "ext": {"rerank": {"query_context": {"query_text": query}}},
        **more,
    }


async def hits_of(
    engine: Engine, index: str, body: Mapping[str, Any], pipeline: str | None
) -> list[dict[str, Any]]:
    params = {"search_pipeline": pipeline} if pipeline else {}
    hits: list[dict[str, Any]] = (await engine.search(index, body, params=params))["hits"]["hits"]
    return hits


@pytest.mark.parametrize("shards", [1, 3])
async def test_its_order_is_the_sidecars_own_over_the_same_inputs(
    cleaned_opensearch: Engine,
    meta: IndexMeta,
    options: PipelineOptions,
    target: SidecarTarget,
    shards: int,
) -> None:
    """The same inputs: the query's text, and for each hit of the page, in first-stage order, its
    text fields one after the other with nothing between them. No `_score` and no stored vector
    reaches the sidecar by the processor, so none is sent to `/v1/rank` here: every score is 0.
    """
    engine = cleaned_opensearch
    patient = options.model_copy(update={"search_timeout": 60})
    index = await filled(engine, meta, patient, target, shards)
    async with httpx.AsyncClient(base_url=target.url, timeout=60) as sidecar:
        for query in QUERIES:
            first = await hits_of(engine, index, asking(query), None)
            reranked = await hits_of(engine, index, asking(query), f"{options.name}-rerank")
            texts = {hit["_id"]: hit["_source"]["title"] + hit["_source"]["text"] for hit in first}
            sent = [{"id": id_, "score": 0.0, "text": text} for id_, text in texts.items()]
            answer = await sidecar.post("/v1/rank", json={"query": query, "hits": sent})
            wanted = answer.raise_for_status().json()
            assert wanted["status"] == "reranked"

            order = [hit["_id"] for hit in reranked]
            assert order == [one["id"] for one in wanted["results"]]
            assert order != list(texts), "the first stage had this order already"
            weights = await served_weights(sidecar)
            for hit, one in zip(reranked, wanted["results"], strict=True):
                assert hit["_score"] == pytest.approx(unit_score(one["score"], weights), abs=1e-5)


async def served_weights(sidecar: httpx.AsyncClient) -> FusionWeights:
    """By which weights the sidecar's model adds its signals up."""
    card = (await sidecar.get("/v1/models")).raise_for_status().json()["data"][0]
    return FusionWeights(**card["fusion"])


@contextmanager
def nobody() -> Any:
    """An address at which nobody answers."""
    yield f"http://127.0.0.1:{free_port()}"


def answering(status: int, answer: Any, delay: float = 0.0) -> AbstractContextManager[str]:
    """A server with one answer to everything."""

    async def app(scope: dict[str, Any], receive: Messages, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        await asyncio.sleep(delay)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return serving(app)


GOOD = {"results": [{"index": place, "relevance_score": place / 100} for place in range(SIZE)]}
SICK = {
    "dead": nobody,
    "refusing": lambda: answering(503, {"error": "overloaded"}),
    "talking of something else": lambda: answering(200, {"results": "none"}),
    "scoring too few": lambda: answering(200, {"results": GOOD["results"][:3]}),
    "too slow": lambda: answering(200, GOOD, delay=4.0),
}


@pytest.mark.parametrize("sickness", SICK)
async def test_a_sick_sidecar_leaves_the_engines_hits_as_they_were(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, sickness: str
) -> None:
    impatient = options.model_copy(update={"search_timeout": 1})
    with SICK[sickness]() as url:
        target = SidecarTarget(url, meta.model)
        index = await filled(cleaned_opensearch, meta, impatient, target, 1)
        body = asking(QUERIES[0])
        first = await hits_of(cleaned_opensearch, index, body, None)
        started = asyncio.get_running_loop().time()
        after = await hits_of(cleaned_opensearch, index, body, f"{options.name}-rerank")
        took = asyncio.get_running_loop().time() - started
    assert len(first) == SIZE
    assert after == first
    assert took < 3.5, "the search did not wait for the sidecar's four seconds"


async def test_the_server_that_plays_a_sick_sidecar_would_be_heard(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> None:
    with answering(200, GOOD) as url:
        target = SidecarTarget(url, meta.model)
        index = await filled(cleaned_opensearch, meta, options, target, 1)
        body = asking(QUERIES[0])
        first = await hits_of(cleaned_opensearch, index, body, None)
        after = await hits_of(cleaned_opensearch, index, body, f"{options.name}-rerank")
    assert [hit["_id"] for hit in after] == [hit["_id"] for hit in reversed(first)]


@pytest.mark.parametrize(
    "body",
    [
        asking(QUERIES[0], size=0),
        asking(QUERIES[0], track_total_hits=False),
        asking("no document says zyzzyva") | {"query": {"match_none": {}}},
        asking('{"a": "query that is a JSON object"}'),
        {"query": {"match": {"text": "winter"}}},
    ],
    ids=["no hits asked for", "no total", "no hits", "JSON", "no words for the processor"],
)
async def test_a_search_that_the_processor_cannot_rerank_is_answered_as_without_it(
    cleaned_opensearch: Engine,
    meta: IndexMeta,
    options: PipelineOptions,
    target: SidecarTarget,
    body: dict[str, Any],
) -> None:
    index = await filled(cleaned_opensearch, meta, options, target, 1)
    first = await hits_of(cleaned_opensearch, index, body, None)
    after = await hits_of(cleaned_opensearch, index, body, f"{options.name}-rerank")
    assert after == first
