"""A cluster that lets ml-commons call nobody, and what `apply --path stock` makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta
from pipelines.application import apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import ingest_name, search_name
from pipelines.cluster import PRIVATE, TRUSTED, settings_for
from pipelines.mlcommons import redeploy
from pipelines.options import PipelineOptions
from pipelines.planning import Action, plan, plan_removal
from pipelines.resources import Resource
from plugin.ranking.errors import PartlyDone
from tests.integration.pipelines.steps import applied, resources, sources, write

ELSEWHERE = "^https://elsewhere\\.example/.*$"
DOCUMENTS = {"a": {"text": "Lamps light a dark room."}}


@pytest.fixture
async def distrustful(cleaned_opensearch: Engine) -> AsyncIterator[Engine]:
    """A node whose connectors may call one address elsewhere, and no private ones."""
    engine = cleaned_opensearch
    await set_cluster(engine, [ELSEWHERE], "false")
    yield engine
    await set_cluster(engine, None, None)


async def set_cluster(engine: Engine, trusted: list[str] | None, private: str | None) -> None:
    body = {"persistent": {TRUSTED: trusted, PRIVATE: private}}
    await engine.request("PUT", "/_cluster/settings", body=body)


async def all_of_it(
    engine: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    models = (ingest_name(options), search_name(options))
    first = await settings_for(engine, target, models)
    return [*first, *resources(meta, options, target)]


async def test_the_settings_are_planned_first_and_let_the_rest_work(
    distrustful: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = distrustful, f"{options.name}-docs"
    wanted = await all_of_it(engine, meta, options, target)
    first = (await plan(engine, wanted)).changes[0]
    assert (first.resource.kind, first.action) == ("cluster settings", Action.UPDATE)

    report = await applied(engine, wanted)

    assert report.steps[0].change.resource.kind == "cluster settings"
    held = await engine.request("GET", "/_cluster/settings", params={"flat_settings": "true"})
    trusted = held["persistent"][TRUSTED]
    assert trusted[0] == ELSEWHERE
    assert len(trusted) == 2
    await write(engine, index, DOCUMENTS)
    assert "rankside_vector" in (await sources(engine, index))["a"]
    again = await all_of_it(engine, meta, options, target)
    assert (await plan(engine, again)).pending == ()


async def test_without_them_a_connector_is_refused_and_the_remedy_named(
    distrustful: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    report = await apply(distrustful, await plan(distrustful, resources(meta, options, target)))
    with pytest.raises(PartlyDone, match="apply --path stock --only cluster"):
        report.raise_if_incomplete()


async def test_models_that_could_call_no_private_address_are_deployed_anew(
    distrustful: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = distrustful, f"{options.name}-docs"
    await set_cluster(engine, [".*"], "true")
    await applied(engine, resources(meta, options, target))
    await set_cluster(engine, [".*"], "false")
    await redeploy(engine, ingest_name(options))
    await write(engine, index, DOCUMENTS)
    assert await sources(engine, index) == DOCUMENTS, "the node called a private address"

    await applied(engine, await all_of_it(engine, meta, options, target))

    await write(engine, index, DOCUMENTS)
    assert "rankside_vector" in (await sources(engine, index))["a"]


async def test_they_stay_when_the_rest_is_destroyed(
    distrustful: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = distrustful
    wanted = await all_of_it(engine, meta, options, target)
    await applied(engine, wanted)
    (await remove(engine, await plan_removal(engine, wanted[1:]))).raise_if_incomplete()
    assert (await plan(engine, wanted[:1])).pending == ()


async def test_remote_models_run_whatever_is_said_of_ml_nodes(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    nodes = (await engine.request("GET", "/_nodes/_all/_none"))["nodes"].values()
    assert not any("ml" in node["roles"] for node in nodes)
    only: dict[str, Any] = {"persistent": {"plugins.ml_commons.only_run_on_ml_node": "true"}}
    await engine.request("PUT", "/_cluster/settings", body=only)
    try:
        await applied(engine, resources(meta, options, target))
        await write(engine, index, DOCUMENTS)
    finally:
        only["persistent"]["plugins.ml_commons.only_run_on_ml_node"] = None
        await engine.request("PUT", "/_cluster/settings", body=only)
    assert "rankside_vector" in (await sources(engine, index))["a"]
