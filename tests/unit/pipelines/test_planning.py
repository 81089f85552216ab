from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pipelines.options import Part
from pipelines.planning import Action, Wishes, compare, plan, plan_removal
from pipelines.resources import Found, IndexTemplate, InferenceEndpoint, IngestPipeline, Resource
from plugin.ranking.errors import EngineUnavailable
from tests.unit.pipelines.memory import MemoryEngine

OURS = {"_meta": {"managed_by": "rankside"}}
TEMPLATE = IndexTemplate("docs", Part.TEMPLATE, {**OURS, "priority": 1})
PIPELINE = IngestPipeline("docs-embed", Part.INGEST, {**OURS, "processors": [{"a": {}}]})
BOTH: Sequence[Resource] = (PIPELINE, TEMPLATE)


async def actions(engine: MemoryEngine, wishes: Wishes | None = None) -> list[Action]:
    planned = await plan(engine, BOTH, wishes or Wishes())
    return [change.action for change in planned.changes]


def keep(engine: MemoryEngine, resource: IndexTemplate | IngestPipeline, **more: Any) -> None:
    engine.kept[f"{resource.path}/{resource.name}"] = {**resource.desired, **more}


async def test_what_is_missing_is_created(engine: MemoryEngine) -> None:
    assert await actions(engine) == [Action.CREATE, Action.CREATE]


async def test_what_is_alike_is_left(engine: MemoryEngine) -> None:
    keep(engine, PIPELINE, created_date_millis=1, modified_date_millis=2)
    keep(engine, TEMPLATE, priority="1", composed_of=[], created_date_millis=1)
    assert await actions(engine) == [Action.UNCHANGED, Action.UNCHANGED]


async def test_drift_is_an_update_and_its_diff_says_what(engine: MemoryEngine) -> None:
    keep(engine, TEMPLATE, priority=9, version=4)
    planned = await plan(engine, [TEMPLATE])
    (change,) = planned.pending
    assert change.action is Action.UPDATE
    changed = [line.strip("+- ,") for line in change.diff[2:] if line[0] in "+-"]
    assert changed == ['"priority": 9', '"version": 4', '"priority": 1']


async def test_what_has_no_mark_is_foreign_however_alike(engine: MemoryEngine) -> None:
    keep(engine, PIPELINE, _meta={"managed_by": "somebody"})
    keep(engine, TEMPLATE, _meta={})
    assert await actions(engine) == [Action.FOREIGN, Action.FOREIGN]
    planned = await plan(engine, BOTH)
    assert planned.pending == ()
    assert "index template docs is there and is not Rankside's" in planned.foreign[1].reason


async def test_adopting_makes_an_update_of_it(engine: MemoryEngine) -> None:
    keep(engine, PIPELINE, _meta={"managed_by": "somebody"})
    assert await actions(engine, Wishes(adopt=True)) == [Action.UPDATE, Action.CREATE]


async def test_secrets_are_written_again_on_request(engine: MemoryEngine) -> None:
    endpoint = InferenceEndpoint(
        "docs-embed",
        Part.INGEST,
        {"service": "custom", "service_settings": {"headers": {"X-Managed-By": "rankside"}}},
        task="text_embedding",
    )
    shown = {**endpoint.desired, "task_type": "text_embedding", "inference_id": "docs-embed"}
    engine.answers["GET", "/_inference/docs-embed"] = {"endpoints": [shown]}
    quiet = await plan(engine, [endpoint])
    loud = await plan(engine, [endpoint], Wishes(refresh_secrets=True))
    assert [change.action for change in quiet.changes] == [Action.UNCHANGED]
    assert [change.action for change in loud.changes] == [Action.UPDATE]


async def test_an_engine_that_cannot_be_asked_ends_the_plan(engine: MemoryEngine) -> None:
    engine.failures["GET", "/_index_template/docs"] = EngineUnavailable("down")
    with pytest.raises(EngineUnavailable):
        await plan(engine, BOTH)


def test_an_id_that_is_not_known_yet_is_a_difference() -> None:
    body = {**OURS, "processors": [{"x": {"model_id": "{{model m}}"}}]}
    pipeline = IngestPipeline("docs-embed", Part.INGEST, body)
    there = Found({**OURS, "processors": [{"x": {"model_id": "42"}}]}, owned=True, id="docs-embed")
    assert compare(pipeline, there, {"model m": "42"}).action is Action.UNCHANGED
    assert compare(pipeline, there, {}).action is Action.UPDATE


async def test_removal_goes_backwards_and_takes_only_what_is_ours(engine: MemoryEngine) -> None:
    keep(engine, PIPELINE)
    keep(engine, TEMPLATE, _meta={})
    planned = await plan_removal(engine, BOTH)
    assert [(change.resource.name, change.action) for change in planned.changes] == [
        ("docs", Action.FOREIGN),
        ("docs-embed", Action.DELETE),
    ]


async def test_what_an_index_needs_stays_and_what_that_needs_stays_too(
    engine: MemoryEngine,
) -> None:
    keep(engine, PIPELINE)
    pipeline = IngestPipeline("docs-embed", Part.INGEST, {}, needs=("index template docs",))
    keep(engine, TEMPLATE)
    engine.answers["GET", "/_all/_settings/index.default_pipeline,index.final_pipeline"] = {
        "shop": {"settings": {"index.default_pipeline": "docs-embed"}},
        "x": {"settings": {}},
    }
    planned = await plan_removal(engine, [TEMPLATE, pipeline])
    assert [change.action for change in planned.changes] == [Action.IN_USE, Action.IN_USE]
    assert "used by index shop (index.default_pipeline)" in planned.changes[0].reason
    assert "used by ingest pipeline docs-embed" in planned.changes[1].reason


async def test_nothing_there_is_nothing_to_remove(engine: MemoryEngine) -> None:
    planned = await plan_removal(engine, BOTH)
    assert planned.pending == ()
    assert {change.action for change in planned.changes} == {Action.ABSENT}
