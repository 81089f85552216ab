"""What `make bench-plugin` and `make bench-stalled` measure on Elasticsearch: that they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from deploy.local import RunningNode
from evaluation.fixed_sidecar import fixed_sidecar
from evaluation.large_index import MadeVectors, large_index
from evaluation.plugin_speed import bench_outside, bench_plugin_search
from evaluation.plugin_ways import ByRetriever
from evaluation.rescore_speed import bench_rescore
from evaluation.speed import Bench
from evaluation.stalled_speed import Stalled, bench_beside, bench_crowd, bench_open
from tests.integration.plugin.elasticsearch.conftest import StartNode

DOCUMENTS, DIMENSIONS, FINGERPRINT = 1_500, 32, "made"
SEARCHES = 6
VECTORS = MadeVectors(FINGERPRINT, "made up", "", DIMENSIONS)


@pytest.fixture
def stand_in() -> Iterator[str]:
    with fixed_sidecar(DIMENSIONS, FINGERPRINT) as url:
        yield url


@pytest.fixture
def stalling() -> Iterator[str]:
    with fixed_sidecar(DIMENSIONS, FINGERPRINT, stall=600) as url:
        yield url


@pytest.fixture
async def engine(start_plugin_node: StartNode, stand_in: str) -> AsyncIterator[Engine]:
    client = await connect(EngineOptions(url=start_plugin_node(stand_in).url, timeout=120))
    yield client
    await client.close()


async def test_every_part_measures(engine: Engine, stand_in: str) -> None:
    made = await large_index(engine, DOCUMENTS, VECTORS)
    assert made.documents == DOCUMENTS
    ways = await bench_rescore(engine, made.name, VECTORS, window=50, calls=5, warm=1)
    # The local node has no painless, so there is no script to compare with.
    assert {name: sample.n for name, sample in ways.items()} == dict.fromkeys(
        ("no rescore", "the window alone", "exact k-NN", "own query"), 5
    )
    bench = Bench(seconds=1)
    async with SidecarClient(SidecarClientOptions(url=stand_in)) as sidecar:
        for measure in (bench_plugin_search, bench_outside):
            await measure(bench, engine, made.name, sidecar, windows=[10, 50], calls=5)
    search, outside = bench.sections.values()
    for window in (10, 50):
        assert search[f"reranked, window {window}"]["n"] == 5
        assert {"window", "sidecar", "sidecar_own"} <= set(search[f"stages, window {window}"])
        assert outside[f"fetched with vectors, window {window}"]["n"] >= 5


async def test_a_crowd_and_what_is_beside_it_are_measured(
    start_plugin_node: StartNode, stalling: str
) -> None:
    node = start_plugin_node(stalling, settings={"rankside.circuit.failures": 1_000_000})
    async with crowded(node, stalling) as stalled:
        bench = Bench(1)
        await bench_crowd(bench, stalled, "crowd", timeout=0.5, spread=0.2, rounds=2)
        await bench_beside(bench, stalled, "beside", hanging=SEARCHES, seconds=0.3, rounds=2)
    found, plain = bench.sections["crowd"], bench.sections["beside"]
    assert found["plain"]["n"] == 2 * SEARCHES
    assert found["  deadline"]["n"] == found["stalled"]["n"] == 2 * SEARCHES
    assert set(plain) == {"plain, alone", f"plain, beside {SEARCHES}"}


async def test_searches_of_an_open_circuit_are_measured(
    start_plugin_node: StartNode, stalling: str
) -> None:
    async with crowded(start_plugin_node(stalling), stalling) as stalled:
        bench = Bench(1)
        await bench_open(bench, stalled, "open", calls=10)
    passed = bench.sections["open"]
    assert (passed["plain"]["n"], passed["passed through"]["n"]) == (10, 10)


@asynccontextmanager
async def crowded(node: RunningNode, sidecar: str) -> AsyncIterator[Stalled]:
    """A few searches on an index of a node whose sidecar never answers."""
    client = await connect(EngineOptions(url=node.url, timeout=120))
    try:
        made = await large_index(client, DOCUMENTS, VECTORS)
        yield Stalled(client, made.name, sidecar, SEARCHES, ByRetriever())
    finally:
        await client.close()
