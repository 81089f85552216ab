"""The template on a real Elasticsearch node; what the node lacks is said, not tried.

The core server has no inference endpoints and no ingest processors: their bodies are tested against
their documentation in tests/unit/pipelines/test_elasticsearch_bodies.py.
"""

from __future__ import annotations

import pytest

from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta
from pipelines.application import apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import require
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.planning import Action, Wishes, plan, plan_removal
from pipelines.resources import Resource
from plugin.ranking.errors import EngineError, UsageError


def templates(meta: IndexMeta, options: PipelineOptions) -> tuple[Resource, ...]:
    target = SidecarTarget("http://127.0.0.1:9", meta.model)
    return catalogue(EngineKind.ELASTICSEARCH, meta, options, target, [Part.TEMPLATE])


async def test_a_template_makes_indices_that_can_be_reranked(
    cleaned_elasticsearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> None:
    engine, index = cleaned_elasticsearch, f"{options.name}-docs"
    report = await apply(engine, await plan(engine, templates(meta, options)))
    report.raise_if_incomplete()
    await engine.request("PUT", f"/{index}")
    mappings = (await engine.request("GET", f"/{index}/_mapping"))[index]["mappings"]
    assert IndexMeta.of_mapping(mappings) == meta
    vector = [1.0] + [0.0] * (meta.dimensions - 1)
    document = {"text": "x", "rankside_vector": vector, "rankside_hash": "f:1"}
    await engine.request("PUT", f"/{index}/_doc/a", params={"refresh": "true"}, body=document)
    knn = {"field": "rankside_vector", "query_vector": vector, "k": 1, "num_candidates": 1}
    hits = (await engine.search(index, {"query": {"knn": knn}}))["hits"]["hits"]
    assert hits[0]["_score"] == pytest.approx(1.0)
    # An unindexed hash can be counted all the same, by its doc values.
    query = {"query": {"prefix": {"rankside_hash": "f:"}}}
    assert (await engine.request("POST", f"/{index}/_count", body=query))["count"] == 1


async def test_idempotence_drift_and_repair(
    cleaned_elasticsearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> None:
    engine, wanted = cleaned_elasticsearch, templates(meta, options)
    await apply(engine, await plan(engine, wanted))
    assert (await apply(engine, await plan(engine, wanted))).steps == ()
    body = {"index_patterns": [f"{options.name}-*"], "_meta": {"managed_by": "rankside"}}
    await engine.request("PUT", f"/_index_template/{options.name}", body=body)
    (change,) = (await plan(engine, wanted)).pending
    assert change.action is Action.UPDATE
    (await apply(engine, await plan(engine, wanted))).raise_if_incomplete()
    assert (await plan(engine, wanted)).pending == ()


async def test_what_is_not_ours_stays(
    cleaned_elasticsearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> None:
    engine, wanted = cleaned_elasticsearch, templates(meta, options)
    path = f"/_index_template/{options.name}"
    await engine.request("PUT", path, body={"index_patterns": [f"{options.name}-*"]})
    with pytest.raises(UsageError, match="is not Rankside's"):
        await apply(engine, await plan(engine, wanted))
    await remove(engine, await plan_removal(engine, wanted))
    assert await engine.request("GET", path)
    (await apply(engine, await plan(engine, wanted, Wishes(adopt=True)))).raise_if_incomplete()
    (await remove(engine, await plan_removal(engine, wanted))).raise_if_incomplete()
    assert (await plan_removal(engine, wanted)).changes[0].action is Action.ABSENT


async def test_one_sentence_says_what_this_node_lacks(
    elasticsearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    everything = catalogue(EngineKind.ELASTICSEARCH, meta, options, target)
    with pytest.raises(EngineError, match=r"lacks the _inference API.*--only template$"):
        await require(elasticsearch, everything, EnginePath.STOCK)
    await require(elasticsearch, templates(meta, options), EnginePath.STOCK)
