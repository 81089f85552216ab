"""What tests of pipelines do over and over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta
from pipelines.application import Report, apply
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue
from pipelines.mlcommons import ML
from pipelines.options import PipelineOptions
from pipelines.planning import Wishes, plan
from pipelines.resources import Resource


def resources(
    meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> tuple[Resource, ...]:
    return catalogue(EngineKind.OPENSEARCH, meta, options, target)


async def applied(engine: Engine, wanted: Sequence[Resource], **wishes: bool) -> Report:
    report = await apply(engine, await plan(engine, wanted, Wishes(**wishes)))
    report.raise_if_incomplete()
    return report


async def deploy(engine: Engine, model_id: str) -> None:
    """Deploy a model and wait for it: ml-commons answers before it has done so."""
    await engine.request("POST", f"{ML}/models/{model_id}/_deploy")
    for _ in range(600):
        if await _state(engine, model_id) == "DEPLOYED":
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"model {model_id} was not deployed within a minute")


async def _state(engine: Engine, model_id: str) -> str:
    return str((await engine.request("GET", f"{ML}/models/{model_id}"))["model_state"])


async def write(engine: Engine, index: str, documents: Mapping[str, dict[str, Any]]) -> None:
    operations = [
        line for id_, source in documents.items() for line in ({"index": {"_id": id_}}, source)
    ]
    outcome = await engine.bulk(index, operations)
    assert [item.error for item in outcome.items] == [None] * len(documents)
    await engine.request("POST", f"/{index}/_refresh")


async def sources(engine: Engine, index: str) -> dict[str, dict[str, Any]]:
    answer = await engine.search(index, {"size": 100, "query": {"match_all": {}}})
    return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}
