"""What `rankside apply --path plugin` makes, on a node that has the plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.meta import IndexMeta, document_text, vector_hash
from connectors.options import EngineOptions
from deploy.local import RunningNode
from pipelines.application import apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import require
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, PipelineOptions
from pipelines.planning import Action, plan, plan_removal
from pipelines.resources import Resource
from plugin.ranking.errors import EngineRejected
from tests.integration.plugin.opensearch.conftest import Articles

NAME = "test-apply"
OPTIONS = PipelineOptions(
    name=NAME, index_patterns=(f"{NAME}-*",), path=EnginePath.PLUGIN, replicas=0
)
WRITTEN = {
    "loom": {"title": "Loom", "text": "In winter the weaver mends what the frost has split."},
    "tram": {"title": "Tram", "text": "The conductor has no winter."},
}


@pytest.fixture
async def engine(plugin_node: RunningNode) -> AsyncIterator[Engine]:
    engine = await connect(EngineOptions(url=plugin_node.url))
    yield engine
    await engine.close()


@pytest.fixture
async def applied(engine: Engine, meta: IndexMeta, sidecar: str) -> AsyncIterator[list[Resource]]:
    """All of the path, by the same steps as the command's; nothing of it is left."""
    wanted = list(catalogue(engine.kind, meta, OPTIONS, SidecarTarget(sidecar, meta.model)))
    await require(engine, wanted, OPTIONS.path)
    (await apply(engine, await plan(engine, wanted))).raise_if_incomplete()
    yield wanted
    with suppress(EngineRejected):
        await engine.request("DELETE", f"/{NAME}-docs")
    (await remove(engine, await plan_removal(engine, wanted))).raise_if_incomplete()
    after = await plan_removal(engine, wanted)
    assert {change.action for change in after.changes} == {Action.ABSENT}


async def test_a_second_time_there_is_nothing_to_do(
    engine: Engine, applied: list[Resource]
) -> None:
    assert (await plan(engine, applied)).pending == ()


async def test_a_search_through_its_pipeline_comes_back_reranked(
    engine: Engine, applied: list[Resource], articles: Articles
) -> None:
    assert applied
    body = {
        "query": {"match": {"text": "who mends it in winter"}},
        "ext": {"rankside": {"timeout": "30s"}},
    }
    plain = await engine.search(articles.index, {"query": body["query"]})
    answer = await engine.search(articles.index, body, params={"search_pipeline": f"{NAME}-rerank"})
    assert answer["ext"]["rankside"]["status"] == "reranked"
    order = [[hit["_id"] for hit in one["hits"]["hits"]] for one in (plain, answer)]
    assert order[0] != order[1]


async def test_documents_of_a_new_index_get_the_vectors_that_its_searches_are_reranked_by(
    engine: Engine, applied: list[Resource], meta: IndexMeta
) -> None:
    assert applied
    for id_, source in WRITTEN.items():
        path = f"/{NAME}-docs/_doc/{id_}"
        await engine.request("PUT", path, params={"refresh": "true"}, body=source)
    by_vectors = {"timeout": "30s", "query_text": "a weaver's repairs", "fusion": {"query": 1.0}}
    body = {"query": {"match": {"text": "winter"}}, "ext": {"rankside": by_vectors}}
    plain = await engine.search(f"{NAME}-docs", {"query": body["query"]})
    answer = await engine.search(f"{NAME}-docs", body, params={"search_pipeline": f"{NAME}-rerank"})
    hits = {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}
    assert set(hits) == set(WRITTEN)
    for id_, source in WRITTEN.items():
        text = document_text(source, meta.text_fields)
        assert hits[id_][meta.hash_field] == vector_hash(meta.fingerprint, text)
    assert answer["ext"]["rankside"]["status"] == "reranked"
    assert [hit["_id"] for hit in plain["hits"]["hits"]] == ["tram", "loom"]
    assert list(hits) == ["loom", "tram"]
