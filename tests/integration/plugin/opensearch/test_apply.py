"""What `rankside apply --path plugin` makes, on a node that has the plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.meta import IndexMeta
from connectors.options import EngineOptions
from deploy.local import RunningNode
from pipelines.application import apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import require
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.planning import Action, plan, plan_removal
from tests.integration.plugin.opensearch.conftest import Articles

OPTIONS = PipelineOptions(name="test-apply", path=EnginePath.PLUGIN, replicas=0)


@pytest.fixture
async def engine(plugin_node: RunningNode) -> AsyncIterator[Engine]:
    engine = await connect(EngineOptions(url=plugin_node.url))
    yield engine
    await engine.close()


async def test_a_search_through_its_pipeline_comes_back_reranked(
    engine: Engine, meta: IndexMeta, articles: Articles, sidecar: str
) -> None:
    target = SidecarTarget(sidecar, meta.model)
    wanted = catalogue(engine.kind, meta, OPTIONS, target, [Part.SEARCH])
    await require(engine, wanted, OPTIONS.path)
    try:
        (await apply(engine, await plan(engine, wanted))).raise_if_incomplete()
        assert (await plan(engine, wanted)).pending == ()

        body = {
            "query": {"match": {"text": "who mends it in winter"}},
            "ext": {"rankside": {"timeout": "30s"}},
        }
        plain = await engine.search(articles.index, {"query": body["query"]})
        answer = await engine.search(
            articles.index, body, params={"search_pipeline": "test-apply-rerank"}
        )
        assert answer["ext"]["rankside"]["status"] == "reranked"
        order = [[hit["_id"] for hit in one["hits"]["hits"]] for one in (plain, answer)]
        assert order[0] != order[1]
    finally:
        (await remove(engine, await plan_removal(engine, wanted))).raise_if_incomplete()
    after = await plan_removal(engine, wanted)
    assert {change.action for change in after.changes} == {Action.ABSENT}
