"""What a stalled sidecar does to a crowd of searches, and to plain ones beside them."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.engine import Engine
from evaluation.crowd import Ended, Order, crowd
from evaluation.large_index import queries_with
from evaluation.plugin_ways import PAGE, Way, body_of, reported
from evaluation.speed import Bench
from evaluation.timing import Sample
from plugin.ranking.errors import EngineUnavailable

_WARM = 3  # crowds whose figures are a cold engine's
_HANGING = 30.0  # seconds in which a crowd is to have reached the sidecar
_POLL = 0.02
_HASTY = 0.2  # a timeout that opens a circuit soon
_FAILURES = 20


@dataclass(slots=True)
class Stalled:
    """A crowd of ``searches`` on ``index``, whose sidecar at ``sidecar`` does not answer."""

    engine: Engine
    index: str
    sidecar: str
    searches: int
    way: Way
    round: int = 0

    async def wait(self, timeout: float) -> None:
        """Have searches wait for ``timeout`` seconds, with a fresh circuit where that can be had.

        Circuits are kept by address, and the stand-in answers below any path.
        """
        self.round += 1
        await self.way.prepare(self.engine, f"{self.sidecar}/{id(self)}-{self.round}", timeout)

    async def texts(self) -> list[str]:
        """Of a search for each of the crowd."""
        return await queries_with(self.engine, self.index, PAGE, self.searches)

    def plain(self, texts: Sequence[str], spread: float = 0.0) -> Order:
        """All of it without a rerank, sent over ``spread`` seconds."""
        bodies = [body_of(text) for text in texts]
        return Order(self.engine.url, f"/{self.index}/_search", bodies, spread)

    def stalling(self, texts: Sequence[str], spread: float = 0.0) -> Order:
        """All of it with one, sent over ``spread`` seconds."""
        bodies = [self.way.body(text) for text in texts]
        return Order(self.engine.url, self.way.path(self.index), bodies, spread)


async def bench_crowd(
    bench: Bench, stalled: Stalled, section: str, *, timeout: float, spread: float, rounds: int
) -> None:
    """How long each search of a crowd takes, by what became of it, in turns with a plain crowd.

    They are sent over ``spread`` seconds; over the timeout, all of them wait at its end.

    Raises:
        EngineError: the engine failed, or answered a search with an error.
    """
    texts, found = await stalled.texts(), defaultdict[str, list[float]](list)
    worst: list[float] = []
    for number in range(_WARM + rounds):
        await stalled.wait(timeout)
        async with crowd(stalled.plain(texts, spread)) as plain:
            alone = [one.milliseconds for one in await plain.go()]
        async with crowd(stalled.stalling(texts, spread)) as waiting:
            ended = await waiting.go()
        if number < _WARM:
            continue
        found["plain"] += alone
        worst.append(max(one.milliseconds for one in ended))
        for name, values in _by_reason(ended).items():
            found[name] += values
    await _note(bench, section, found)
    for name, value in (("slowest of all", max(worst)), ("slowest, best round", min(worst))):
        bench.note(section, f"{name}, of the timeout", {"times": round(value / 1000 / timeout, 3)})


async def bench_beside(
    bench: Bench, stalled: Stalled, section: str, *, hanging: int, seconds: float, rounds: int
) -> None:
    """How long plain searches take while ``hanging`` calls wait, in turns with none waiting.

    The crowd waits for longer than is measured; its arrival and its end are not.

    Raises:
        EngineError: the engine failed, or fewer calls than that wait at the same time.
    """
    texts = await stalled.texts()
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(rounds):
        alone += await _plain(stalled, texts, seconds)
        await stalled.wait(seconds + 2 * _HANGING)
        async with crowd(stalled.stalling(texts)) as waiting:
            going = asyncio.ensure_future(waiting.go())
            try:
                await _until_hanging(stalled, hanging)
                await _until_idle(stalled.engine)
                beside += await _plain(stalled, texts, seconds)
                if await _in_flight(stalled) != hanging:
                    raise EngineUnavailable("the crowd did not wait for so long; measure again")
            finally:
                going.cancel()
        await _until_hanging(stalled, 0)  # its users have gone
    await _note(bench, section, {"plain, alone": alone, f"plain, beside {hanging}": beside})


async def bench_open(bench: Bench, stalled: Stalled, section: str, *, calls: int) -> None:
    """What a search costs while the sidecar's circuit is open, in turns with a plain one.

    Raises:
        EngineError: the engine failed, or the circuit did not open.
    """
    texts, plain, passed = await stalled.texts(), list[float](), list[float]()
    await stalled.wait(_HASTY)
    tries = 0
    async with httpx.AsyncClient(base_url=stalled.engine.url, timeout=_HANGING) as client:
        while len(passed) < calls:
            text = texts[tries % len(texts)]
            through, reason = await _timed(
                client, stalled.way.path(stalled.index), stalled.way.body(text)
            )
            if reason == "circuit_open":
                alone, _ = await _timed(client, f"/{stalled.index}/_search", body_of(text))
                plain.append(alone)
                passed.append(through)
            tries += 1
            if tries > 2 * calls + _FAILURES:
                raise EngineUnavailable("the circuit does not stay open; measure again")
    await _note(bench, section, {"plain": plain, "passed through": passed})


async def _timed(
    client: httpx.AsyncClient, path: str, body: Mapping[str, Any]
) -> tuple[float, str]:
    """Milliseconds of a search, and why it was not reranked, empty if it was or was not to be."""
    begun = time.perf_counter()
    answer = (await client.post(path, json=dict(body))).raise_for_status()
    said = reported(answer.json(), answer.headers) or {}
    return (time.perf_counter() - begun) * 1000, said.get("reason", "")


async def _plain(stalled: Stalled, texts: Sequence[str], seconds: float) -> list[float]:
    spent: list[float] = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await stalled.engine.search(stalled.index, body_of(texts[len(spent) % len(texts)]))
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


async def _until_hanging(stalled: Stalled, calls: int) -> None:
    end = time.monotonic() + _HANGING
    while await _in_flight(stalled) != calls:
        if time.monotonic() > end:
            raise EngineUnavailable(f"{calls} calls never were under way at once; measure again")
        await asyncio.sleep(_POLL)


async def _until_idle(engine: Engine) -> None:
    """Return once no thread of the engine searches: the crowd's searches wait, or have ended."""
    end = time.monotonic() + _HANGING
    while time.monotonic() < end:
        answer = await engine.request("GET", "/_nodes/stats/thread_pool")
        pools = [node["thread_pool"]["search"] for node in answer["nodes"].values()]
        if not any(pool["active"] + pool["queue"] for pool in pools):
            return
        await asyncio.sleep(_POLL)
    raise EngineUnavailable("the engine's search threads never were idle; measure again")


async def _in_flight(stalled: Stalled) -> int:
    answer = await stalled.engine.request("GET", stalled.way.stats)
    return sum(node["in_flight"] for node in answer["nodes"].values())


def _by_reason(ended: Sequence[Ended]) -> dict[str, list[float]]:
    found = defaultdict[str, list[float]](list)
    for one in ended:
        found["stalled"].append(one.milliseconds)
        found[f"  {one.reason or 'reranked'}"].append(one.milliseconds)
    return found


async def _note(bench: Bench, section: str, found: Mapping[str, list[float]]) -> None:
    for name, values in found.items():
        figures = Sample.of(values, math.inf).to_json()
        bench.note(section, name, {**figures, "max_ms": round(max(values), 2)})
