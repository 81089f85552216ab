"""Read → prepare (embed) → write, each waiting for the next: what is on its way is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ingest.bulk import BulkOptions, BulkWriter, Chunks, Judged, Write
from plugin.ranking.errors import RanksideError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """``batch`` documents are embedded at once, ``concurrency`` bulk requests are in flight.

    ``skip_existing`` passes over documents whose text and model the index holds already.
    """

    batch: int = 64
    concurrency: int = 2
    bulk: BulkOptions = field(default_factory=BulkOptions)
    skip_existing: bool = False


class Stages(Generic[T]):
    """``parallel`` preparers and ``concurrency`` writers between two short queues.

    A queue holds a batch for each preparer, or a request for each writer, and no more: a slow
    engine stops the embedding, and that the reading.
    """

    def __init__(
        self,
        writer: BulkWriter,
        options: FlowOptions,
        *,
        parallel: int,
        prepare: Callable[[Sequence[T]], Awaitable[Sequence[Write]]],
        settle: Callable[[Sequence[Judged]], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._options = options
        self._parallel = parallel
        self._prepare = prepare
        self._settle = settle

    async def run(self, batches: AsyncGenerator[Sequence[T], None]) -> None:
        """Prepare and write every batch. Raises the first RanksideError of any stage."""
        prepared: asyncio.Queue[Sequence[T] | None] = asyncio.Queue(self._parallel)
        requests: asyncio.Queue[list[Write] | None] = asyncio.Queue(self._options.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(batches, prepared))
                group.create_task(self._prepare_all(prepared, requests))
                for _ in range(self._options.concurrency):
                    group.create_task(self._write(requests))
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors

    async def _read(
        self,
        batches: AsyncGenerator[Sequence[T], None],
        queue: asyncio.Queue[Sequence[T] | None],
    ) -> None:
        async with aclosing(batches):
            async for batch in batches:
                if batch:
                    await queue.put(batch)
        for _ in range(self._parallel):
            await queue.put(None)

    async def _prepare_all(
        self,
        batches: asyncio.Queue[Sequence[T] | None],
        requests: asyncio.Queue[list[Write] | None],
    ) -> None:
        chunks = Chunks(self._options.bulk)

        async def prepare() -> None:
            while (batch := await batches.get()) is not None:
                for request in chunks.add(await self._prepare(batch)):
                    await requests.put(request)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._parallel):
                group.create_task(prepare())
        if rest := chunks.rest():
            await requests.put(rest)
        for _ in range(self._options.concurrency):
            await requests.put(None)

    async def _write(self, requests: asyncio.Queue[list[Write] | None]) -> None:
        while (request := await requests.get()) is not None:
            await self._settle(await self._writer.send(request))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to tell: ours if there is one."""
    inner = [
        _first(error) if isinstance(error, BaseExceptionGroup) else error
        for error in errors.exceptions
    ]
    return next((error for error in inner if isinstance(error, RanksideError)), inner[0])
