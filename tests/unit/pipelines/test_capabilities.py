from __future__ import annotations

from typing import Any

import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import lacking, require
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, Part, PipelineOptions
from plugin.ranking.errors import EngineError, EngineRejected, EngineUnavailable
from tests.unit.pipelines.memory import MemoryEngine

STOCK, PLUGIN = EnginePath.STOCK, EnginePath.PLUGIN
NO_HANDLER = EngineRejected("no handler found for uri [/x] and method [GET]", status=400)


def ingest_nodes(*nodes: set[str]) -> dict[str, Any]:
    """The answer of `GET /_nodes/ingest` for nodes with these processors."""
    named = {
        f"node{place}": {"ingest": {"processors": [{"type": name} for name in names]}}
        for place, names in enumerate(nodes)
    }
    return {"nodes": named}


def full(engine: MemoryEngine) -> MemoryEngine:
    engine.answers["GET", "/_inference/_all"] = {"endpoints": []}
    engine.answers["GET", "/_nodes/ingest"] = ingest_nodes({"script", "inference", "remove", "set"})
    return engine


async def test_a_full_cluster_lacks_nothing(engine: MemoryEngine) -> None:
    for part in Part:
        assert await lacking(full(engine), part, STOCK) == []


async def test_what_one_node_lacks_the_cluster_lacks(engine: MemoryEngine) -> None:
    full(engine).answers["GET", "/_nodes/ingest"] = ingest_nodes(
        {"script", "inference", "remove"}, {"script", "remove"}
    )
    assert await lacking(engine, Part.INGEST, STOCK) == ["the ingest processor inference"]


async def test_a_cluster_that_hides_its_nodes_gets_the_benefit_of_the_doubt(
    engine: MemoryEngine,
) -> None:
    full(engine).failures["GET", "/_nodes/ingest"] = EngineRejected("not here", status=410)
    assert await lacking(engine, Part.INGEST, STOCK) == []


async def test_an_api_that_refuses_us_is_there(engine: MemoryEngine) -> None:
    full(engine).failures["GET", "/_inference/_all"] = EngineRejected("forbidden", status=403)
    assert await lacking(engine, Part.SEARCH, STOCK) == []


async def test_an_unreachable_cluster_is_no_poor_one(engine: MemoryEngine) -> None:
    engine.failures["GET", "/_inference/_all"] = EngineUnavailable("down")
    with pytest.raises(EngineUnavailable):
        await lacking(engine, Part.SEARCH, STOCK)


async def test_one_sentence_says_what_is_missing_and_what_can_be_had(
    engine: MemoryEngine, meta: IndexMeta, target: SidecarTarget
) -> None:
    engine.failures["GET", "/_inference/_all"] = NO_HANDLER
    engine.answers["GET", "/_nodes/ingest"] = ingest_nodes({"script", "remove"})
    resources = catalogue(engine.kind, meta, PipelineOptions(path=STOCK), target)
    with pytest.raises(EngineError) as raised:
        await require(engine, resources, STOCK)
    assert str(raised.value) == (
        "this Elasticsearch cluster lacks the _inference API, the ingest processor inference; "
        "use Elastic's own distribution, from 8.19 or 9.1 on, with an Enterprise licence, or apply "
        "the rest with --only template"
    )
    template = [resource for resource in resources if resource.part is Part.TEMPLATE]
    await require(engine, template, STOCK)


@pytest.mark.parametrize(
    ("version", "licence", "missing"),
    [
        ("9.5.3", "enterprise", []),
        ("8.19.0", "trial", []),
        ("9.0.4", "trial", ["the inference service custom (it is 9.0.4)"]),
        ("8.18.1", "trial", ["the inference service custom (it is 8.18.1)"]),
        ("9.5.3", "basic", ["a licence for inference (it has basic)"]),
    ],
)
async def test_release_and_licence_that_inference_endpoints_need(
    engine: MemoryEngine, version: str, licence: str, missing: list[str]
) -> None:
    engine.version = version
    full(engine).answers["GET", "/_license"] = {"license": {"type": licence}}
    assert await lacking(engine, Part.SEARCH, STOCK) == missing


async def test_opensearch_without_its_model_plugins(engine: MemoryEngine) -> None:
    engine.kind = EngineKind.OPENSEARCH
    engine.failures["GET", "/_plugins/_ml/connectors/_search"] = NO_HANDLER
    engine.answers["GET", "/_nodes/ingest"] = ingest_nodes({"script", "remove"})
    engine.answers["GET", "/_nodes/search_pipelines"] = {
        "nodes": {"n": {"search_pipelines": {"request_processors": [{"type": "rerank"}]}}}
    }
    ml = "the plugin opensearch-ml (ml-commons)"
    assert await lacking(engine, Part.INGEST, STOCK) == [ml, "the ingest processor text_embedding"]
    # A rerank among the request processors is not the one that is needed.
    assert await lacking(engine, Part.SEARCH, STOCK) == [
        ml,
        "the plugin opensearch-neural-search (rerank)",
    ]


def nodes_with(**plugins: list[str]) -> dict[str, Any]:
    """The answer of `GET /_nodes/plugins` for nodes with these plugins."""
    named = {
        f"id-{name}": {"name": name, "plugins": [{"name": plugin} for plugin in has]}
        for name, has in plugins.items()
    }
    return {"nodes": named}


@pytest.mark.parametrize(
    ("nodes", "missing"),
    [
        (nodes_with(a=["rankside"], b=["opensearch-knn", "rankside"]), []),
        (nodes_with(a=["opensearch-knn"], b=[]), ["the plugin rankside on any node"]),
        (
            nodes_with(c=[], a=["rankside"], b=["opensearch-knn"]),
            ["the plugin rankside on the nodes b, c"],
        ),
    ],
)
async def test_the_plugin_is_needed_on_every_node(
    engine: MemoryEngine, nodes: dict[str, Any], missing: list[str]
) -> None:
    engine.kind = EngineKind.OPENSEARCH
    engine.answers["GET", "/_nodes/plugins"] = nodes
    assert await lacking(engine, Part.INGEST, PLUGIN) == missing
    assert await lacking(engine, Part.SEARCH, PLUGIN) == missing
    assert await lacking(engine, Part.TEMPLATE, PLUGIN) == []


async def test_one_sentence_says_where_the_plugin_is_missing(
    engine: MemoryEngine, meta: IndexMeta, target: SidecarTarget
) -> None:
    engine.answers["GET", "/_nodes/plugins"] = nodes_with(a=["rankside"], b=[])
    options = PipelineOptions(path=PLUGIN)
    resources = catalogue(EngineKind.OPENSEARCH, meta, options, target)
    engine.kind = EngineKind.OPENSEARCH
    with pytest.raises(EngineError) as raised:
        await require(engine, resources, PLUGIN)
    assert str(raised.value) == (
        "this OpenSearch cluster lacks the plugin rankside on the nodes b; install it, or apply "
        "the rest with --only template"
    )


async def test_the_client_path_asks_nothing_of_the_engine(engine: MemoryEngine) -> None:
    for part in Part:
        assert await lacking(engine, part, EnginePath.CLIENT) == []
    assert engine.calls == []
