from __future__ import annotations

from typing import Any

import pytest

from pipelines.application import Outcome, Step, apply, remove
from pipelines.options import Part
from pipelines.planning import Wishes, plan, plan_removal
from pipelines.resources import IndexTemplate, IngestPipeline, key
from plugin.ranking.errors import EngineError, EngineRejected, PartlyDone, UsageError
from tests.unit.pipelines.memory import MemoryEngine

OURS = {"_meta": {"managed_by": "rankside"}}
FIRST = IngestPipeline("first", Part.INGEST, {**OURS, "processors": [{"a": {}}]})
SECOND = IngestPipeline(
    "second",
    Part.INGEST,
    {**OURS, "processors": [{"pipeline": {"name": "{{ingest pipeline first}}"}}]},
    needs=(key(FIRST),),
)
THIRD = IndexTemplate("third", Part.TEMPLATE, {**OURS, "priority": 1})
ALL = (FIRST, SECOND, THIRD)
REFUSED = EngineRejected("refused", status=400)


class Forgetful(MemoryEngine):
    """Says that all went well, and keeps another priority."""

    async def request(self, method: str, path: str, *, body: Any = None, **other: Any) -> Any:
        if method == "PUT" and "template" in path:
            body = {**body, "priority": 0}
        return await super().request(method, path, body=body, **other)


async def test_everything_is_made_in_order_and_a_second_time_there_is_nothing_to_do(
    engine: MemoryEngine,
) -> None:
    seen: list[Step] = []
    report = await apply(engine, await plan(engine, ALL), on_step=seen.append)
    report.raise_if_incomplete()
    assert [step.change.key for step in report.steps] == [key(one) for one in ALL]
    assert list(report.steps) == seen
    assert report.drift == ()
    again = await apply(engine, await plan(engine, ALL))
    assert again.steps == ()


async def test_an_id_given_on_the_way_is_used(engine: MemoryEngine) -> None:
    await apply(engine, await plan(engine, ALL))
    (processor,) = engine.kept["/_ingest/pipeline/second"]["processors"]
    assert processor == {"pipeline": {"name": "first"}}


async def test_a_failure_stops_what_needs_it_and_nothing_else(engine: MemoryEngine) -> None:
    engine.failures["PUT", "/_ingest/pipeline/first"] = REFUSED
    report = await apply(engine, await plan(engine, ALL))
    assert [step.outcome for step in report.steps] == [
        Outcome.FAILED,
        Outcome.NOT_RUN,
        Outcome.DONE,
    ]
    assert report.steps[1].error == "it needs ingest pipeline first"
    with pytest.raises(PartlyDone, match=r"ingest pipeline first: refused \(1 of 3 changes"):
        report.raise_if_incomplete()


async def test_running_again_continues_where_it_stopped(engine: MemoryEngine) -> None:
    engine.failures["PUT", "/_ingest/pipeline/first"] = REFUSED
    await apply(engine, await plan(engine, ALL))
    engine.failures.clear()
    report = await apply(engine, await plan(engine, ALL))
    report.raise_if_incomplete()
    assert [step.change.key for step in report.steps] == [key(FIRST), key(SECOND)]


async def test_nothing_done_is_the_engines_error(engine: MemoryEngine) -> None:
    engine.failures["PUT", "/_index_template/third"] = REFUSED
    report = await apply(engine, await plan(engine, [THIRD]))
    with pytest.raises(EngineError, match="index template third: refused"):
        report.raise_if_incomplete()


async def test_an_engine_that_keeps_something_else_is_found_out() -> None:
    engine = Forgetful()
    report = await apply(engine, await plan(engine, ALL))
    assert report.drift == (key(THIRD),)
    with pytest.raises(EngineError, match="keeps index template third differently"):
        report.raise_if_incomplete()


async def test_nothing_is_written_where_something_is_foreign(engine: MemoryEngine) -> None:
    engine.kept["/_index_template/third"] = {"priority": 5}
    planned = await plan(engine, ALL)
    engine.calls.clear()
    with pytest.raises(UsageError, match="is not Rankside's; choose another --name"):
        await apply(engine, planned)
    assert engine.calls == []
    assert engine.kept == {"/_index_template/third": {"priority": 5}}


async def test_what_is_adopted_is_ours_afterwards(engine: MemoryEngine) -> None:
    engine.kept["/_index_template/third"] = {"priority": 5}
    report = await apply(engine, await plan(engine, [THIRD], Wishes(adopt=True)))
    report.raise_if_incomplete()
    assert engine.kept["/_index_template/third"] == THIRD.desired


async def test_removal_takes_ours_and_leaves_the_rest(engine: MemoryEngine) -> None:
    await apply(engine, await plan(engine, ALL))
    engine.kept["/_index_template/third"] = {"priority": 5}
    engine.kept["/_index_template/other"] = {"priority": 6}
    report = await remove(engine, await plan_removal(engine, ALL))
    report.raise_if_incomplete()
    assert engine.kept == {
        "/_index_template/third": {"priority": 5},
        "/_index_template/other": {"priority": 6},
    }


async def test_what_something_needs_stays_where_that_could_not_go(engine: MemoryEngine) -> None:
    await apply(engine, await plan(engine, ALL))
    engine.failures["DELETE", "/_ingest/pipeline/second"] = REFUSED
    report = await remove(engine, await plan_removal(engine, ALL))
    outcomes = {step.change.key: step.outcome for step in report.steps}
    assert outcomes == {
        key(THIRD): Outcome.DONE,
        key(SECOND): Outcome.FAILED,
        key(FIRST): Outcome.NOT_RUN,
    }
    with pytest.raises(PartlyDone):
        report.raise_if_incomplete()
