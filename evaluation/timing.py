"""Timings with their spread: a figure without one is an anecdote."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[int], Awaitable[object]]
"""One call; it is told its number, counted from 0."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Milliseconds of ``n`` calls; ``q1`` to ``q3`` is the interquartile range.

    ``per_second`` is calls over the wall time of all of them together.
    """

    n: int
    median: float
    p95: float
    q1: float
    q3: float
    per_second: float

    @classmethod
    def of(cls, milliseconds: list[float], wall_seconds: float) -> Sample:
        """Summarise; raises ValueError where there is nothing to."""
        if not milliseconds:
            raise ValueError("no call was timed")
        q1, median, q3, p95 = (float(v) for v in np.percentile(milliseconds, [25, 50, 75, 95]))
        return cls(len(milliseconds), median, p95, q1, q3, len(milliseconds) / wall_seconds)

    def to_json(self) -> dict[str, Any]:
        """Rounded to what such a measurement can carry."""
        return {
            "n": self.n,
            "median_ms": round(self.median, 2),
            "p95_ms": round(self.p95, 2),
            "iqr_ms": [round(self.q1, 2), round(self.q3, 2)],
            "per_second": round(self.per_second, 2),
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: after ``calls`` calls or ``seconds`` seconds, whichever is first.

    ``least`` calls are made even where they take longer.
    """

    calls: int
    seconds: float
    least: int = 5


async def timed(call: Call, budget: Budget, *, concurrency: int = 1, warm: int = 2) -> Sample:
    """Time ``call`` by ``concurrency`` workers that each wait for their answer before the next.

    ``warm`` calls before are not counted.
    """
    for number in range(warm):
        await call(number)
    milliseconds: list[float] = []
    numbers = iter(range(warm, warm + budget.calls))
    started = time.perf_counter()

    async def worker() -> None:
        for number in numbers:
            late = time.perf_counter() - started > budget.seconds
            if late and len(milliseconds) >= budget.least:
                return
            begun = time.perf_counter()
            await call(number)
            milliseconds.append((time.perf_counter() - begun) * 1000)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return Sample.of(milliseconds, time.perf_counter() - started)


async def interleaved(
    calls: Mapping[str, Call], budget: Budget, *, warm: int = 1
) -> dict[str, Sample]:
    """Time several calls in turns, so that whatever else the machine does hits them alike.

    Every round begins with another one: what one call leaves in a cache helps each as often.
    """
    spent = await taking_turns(calls, budget, warm=warm)
    return {name: Sample.of(values, sum(values) / 1000) for name, values in spent.items()}


async def taking_turns(
    calls: Mapping[str, Call], budget: Budget, *, warm: int = 1
) -> dict[str, list[float]]:
    """As ``interleaved``: the milliseconds by round, for what is between calls of one round."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm):
        for call in calls.values():
            await call(number)
    started = time.perf_counter()
    for number in range(warm, warm + budget.calls):
        if time.perf_counter() - started > budget.seconds and number - warm >= budget.least:
            break
        turn = number % len(calls)
        for name, call in [*calls.items()][turn:] + [*calls.items()][:turn]:
            begun = time.perf_counter()
            await call(number)
            spent[name].append((time.perf_counter() - begun) * 1000)
    return spent
