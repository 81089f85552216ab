"""Every part of `make bench-stalled` once, short: that it measures, not how much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions
from deploy.local import RunningNode
from evaluation import engine as through_engine
from evaluation.crowd import Ended, Order, crowd
from evaluation.fixed_sidecar import fixed_sidecar
from evaluation.large_index import MadeVectors, large_index
from evaluation.plugin_ways import ByPipeline
from evaluation.speed import Bench
from evaluation.stalled_speed import Stalled, bench_beside, bench_crowd, bench_open
from plugin.ranking.errors import EngineUnavailable

DOCUMENTS, DIMENSIONS, FINGERPRINT = 1_000, 24, "made"
SEARCHES = 6


@pytest.fixture
async def engine(plugin_node: RunningNode) -> AsyncIterator[Engine]:
    client = await connect(EngineOptions(url=plugin_node.url, timeout=120))
    yield client
    await client.close()


@pytest.fixture
async def index(engine: Engine) -> AsyncIterator[str]:
    vectors = MadeVectors(FINGERPRINT, "made up", "", DIMENSIONS)
    made = await large_index(engine, DOCUMENTS, vectors)
    yield made.name
    await through_engine.drop(engine, made.name)


@pytest.fixture
def stalling() -> Iterator[str]:
    with fixed_sidecar(DIMENSIONS, FINGERPRINT, stall=600) as url:
        yield url


async def test_a_crowd_and_what_is_beside_it_are_measured(
    engine: Engine, index: str, stalling: str
) -> None:
    bench, stalled = Bench(1), Stalled(engine, index, stalling, SEARCHES, ByPipeline("stalled"))
    await bench_crowd(bench, stalled, "crowd", timeout=0.5, spread=0.2, rounds=2)
    found = bench.sections["crowd"]
    assert found["plain"]["n"] == found["stalled"]["n"] == 2 * SEARCHES
    reasons = {name: figures["n"] for name, figures in found.items() if name.startswith("  ")}
    assert sum(reasons.values()) == 2 * SEARCHES
    assert "  deadline" in reasons
    assert found["slowest of all, of the timeout"]["times"] >= 1

    await bench_open(bench, stalled, "open", calls=10)
    passed = bench.sections["open"]
    assert (passed["plain"]["n"], passed["passed through"]["n"]) == (10, 10)

    await bench_beside(bench, stalled, "beside", hanging=SEARCHES, seconds=0.3, rounds=2)
    plain = bench.sections["beside"]
    assert set(plain) == {"plain, alone", f"plain, beside {SEARCHES}"}
    assert all(figures["n"] >= 2 for figures in plain.values())


async def test_a_crowd_tells_how_each_search_ended(engine: Engine, index: str) -> None:
    order = Order(engine.url, f"/{index}/_search", [{"size": 0}, {"size": 1}])
    async with crowd(order) as made:
        ended = await made.go()
    assert [one.reason for one in ended] == ["plain", "plain"]
    assert all(isinstance(one, Ended) and one.milliseconds > 0 for one in ended)


async def test_a_crowd_that_is_refused_says_so(engine: Engine) -> None:
    async with crowd(Order(engine.url, "/no-such-index/_search", [{}])) as made:
        with pytest.raises(EngineUnavailable, match="404"):
            await made.go()


async def test_a_crowd_without_an_engine_does_not_stand_ready() -> None:
    with pytest.raises(EngineUnavailable, match="ClientConnector"):
        async with crowd(Order("http://127.0.0.1:9", "/", [{}])):
            pass
