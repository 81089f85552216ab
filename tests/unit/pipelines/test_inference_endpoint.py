"""An endpoint as Elasticsearch shows it again: with the service's defaults, without its secrets.

Source: `CustomServiceSettings.toXContentFragment` and the parsers' `toXContent`.
"""

from __future__ import annotations

from typing import Any

import pytest

from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.options import Part, PipelineOptions
from pipelines.planning import Action, plan, plan_removal
from pipelines.resources import InferenceEndpoint
from tests.unit.pipelines.memory import MemoryEngine

NAME = "rankside-embed"
AT = ("GET", f"/_inference/{NAME}")


@pytest.fixture
def endpoint(meta: IndexMeta) -> InferenceEndpoint:
    target = SidecarTarget("http://sidecar:8080", meta.model, "the-key")
    body = bodies.embed_endpoint(target, meta, PipelineOptions())
    return InferenceEndpoint(NAME, Part.INGEST, body, task="text_embedding")


@pytest.fixture
def shown(endpoint: InferenceEndpoint) -> dict[str, Any]:
    """Its settings as the engine shows them."""
    settings = dict(endpoint.desired["service_settings"])
    del settings["secret_parameters"]
    parser = {**settings["response"]["json_parser"], "embedding_type": "float"}
    settings["response"] = {"json_parser": parser}
    settings["max_input_tokens"] = 512
    return settings


def holding(engine: MemoryEngine, settings: dict[str, Any]) -> MemoryEngine:
    held = {"service": "custom", "task_type": "text_embedding", "service_settings": settings}
    engine.answers[AT] = {"endpoints": [held]}
    return engine


async def action(engine: MemoryEngine, endpoint: InferenceEndpoint) -> Action:
    (change,) = (await plan(engine, [endpoint])).changes
    return change.action


async def test_the_services_defaults_are_no_difference(
    engine: MemoryEngine, endpoint: InferenceEndpoint, shown: dict[str, Any]
) -> None:
    assert await action(holding(engine, shown), endpoint) is Action.UNCHANGED


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://another:8080/v1/embeddings"},
        {"dimensions": 8},
        {"response": {"json_parser": {"text_embeddings": "$.vectors[*]"}}},
        {"headers": {"X-Managed-By": "rankside", "Content-Type": "application/json"}},
        {"headers": {"X-Managed-By": "rankside", "X-More": "1"}},
        {"rate_limit": {"requests_per_minute": 10}},
    ],
)
async def test_what_somebody_changed_is_seen(
    engine: MemoryEngine,
    endpoint: InferenceEndpoint,
    shown: dict[str, Any],
    change: dict[str, Any],
) -> None:
    assert await action(holding(engine, {**shown, **change}), endpoint) is Action.UPDATE


async def test_an_endpoint_that_others_name_stays(
    engine: MemoryEngine, endpoint: InferenceEndpoint, shown: dict[str, Any]
) -> None:
    place = ("DELETE", f"/_inference/text_embedding/{NAME}")
    holding(engine, shown).answers[place] = {"pipelines": [NAME, "theirs"], "indexes": ["notes"]}
    engine.kept[f"/_ingest/pipeline/{NAME}"] = {"_meta": {"managed_by": "rankside"}}
    engine.kept["/_ingest/pipeline/theirs"] = {"processors": []}
    (change,) = (await plan_removal(engine, [endpoint])).changes
    assert change.action is Action.IN_USE
    assert "used by ingest pipeline theirs, index notes (semantic_text)" in change.reason


async def test_our_own_pipeline_holds_nothing_back(
    engine: MemoryEngine, endpoint: InferenceEndpoint, shown: dict[str, Any]
) -> None:
    place = ("DELETE", f"/_inference/text_embedding/{NAME}")
    holding(engine, shown).answers[place] = {"pipelines": [NAME], "indexes": []}
    engine.kept[f"/_ingest/pipeline/{NAME}"] = {"_meta": {"managed_by": "rankside"}}
    (change,) = (await plan_removal(engine, [endpoint])).changes
    assert change.action is Action.DELETE
