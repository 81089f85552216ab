from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.engine import BulkItem, BulkOutcome, Engine
from ingest.bulk import BulkOptions, BulkWriter, Judged, Write, write
from ingest.stages import FlowOptions, Stages
from plugin.ranking.errors import EngineRejected, SidecarUnavailable


class Taking:
    """An engine that takes everything, once it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.ids: list[str] = []

    async def bulk(self, _index: str, operations: Sequence[Mapping[str, Any]]) -> BulkOutcome:
        await self.open.wait()
        ids = [one["index"]["_id"] for one in operations[::2]]
        self.ids += ids
        return BulkOutcome(tuple(BulkItem("index", id_, 201, None) for id_ in ids), took_ms=1)


class Run:
    """Numbers into documents, counted at every stage."""

    def __init__(self, engine: Taking, options: FlowOptions, parallel: int = 2) -> None:
        fake: Engine = engine  # type: ignore[assignment]
        self.read = 0
        self.settled: list[str] = []
        self.closed = False
        self.fail_at: int | None = None
        writer = BulkWriter(fake, "books", options.bulk, lambda _: None)
        self.stages = Stages[int](
            writer, options, parallel=parallel, prepare=self._prepare, settle=self._settle
        )

    async def batches(self, numbers: int, size: int) -> AsyncGenerator[list[int], None]:
        try:
            for start in range(0, numbers, size):
                self.read = min(start + size, numbers)
                yield list(range(start, self.read))
        finally:
            self.closed = True

    async def _prepare(self, batch: Sequence[int]) -> list[Write]:
        if self.fail_at in batch:
            raise SidecarUnavailable("away")
        await asyncio.sleep(0)
        return [write({"index": {"_id": str(number)}}, {}) for number in batch]

    async def _settle(self, judged: Sequence[Judged]) -> None:
        self.settled += [item.id for _, item in judged]


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
async def test_everything_arrives_exactly_once(
    numbers: int, size: int, docs: int, workers: int
) -> None:
    engine = Taking()
    run = Run(engine, FlowOptions(concurrency=workers, bulk=BulkOptions(docs=docs)), workers)

    await run.stages.run(run.batches(numbers, size))

    assert sorted(map(int, run.settled)) == list(range(numbers))
    assert sorted(engine.ids) == sorted(run.settled)
    assert run.closed


async def test_a_slow_engine_stops_the_reading() -> None:
    engine = Taking()
    engine.open.clear()
    run = Run(engine, FlowOptions(concurrency=2, bulk=BulkOptions(docs=1)), parallel=2)
    task = asyncio.create_task(run.stages.run(run.batches(1000, 1)))
    for _ in range(500):
        await asyncio.sleep(0)

    # Two requests held by writers, two queued, two batches each prepared, queued and read.
    assert 0 < run.read <= 9
    engine.open.set()
    await task
    assert len(run.settled) == 1000


async def test_a_failure_of_any_stage_ends_all_and_is_told_as_it_is() -> None:
    run = Run(Taking(), FlowOptions(bulk=BulkOptions(docs=5)))
    run.fail_at = 50

    with pytest.raises(SidecarUnavailable):
        await run.stages.run(run.batches(1000, 10))
    assert run.closed
    assert run.read < 1000


async def test_a_reader_s_failure_is_told_as_it_is() -> None:
    run = Run(Taking(), FlowOptions())

    async def broken() -> AsyncGenerator[list[int], None]:
        yield [1]
        raise EngineRejected("gone", status=404)

    with pytest.raises(EngineRejected):
        await run.stages.run(broken())
