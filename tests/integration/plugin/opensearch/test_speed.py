"""Every part of `make bench-plugin` once, short: that it measures, not how much."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from deploy.local import RunningNode
from evaluation import engine as through_engine
from evaluation.fixed_sidecar import fixed_sidecar
from evaluation.large_index import IndexShape, MadeVectors, large_index
from evaluation.plugin_speed import bench_outside, bench_plugin_search
from evaluation.rescore_speed import bench_rescore
from evaluation.speed import Bench

DOCUMENTS, DIMENSIONS, FINGERPRINT = 1_500, 32, "made"
VECTORS = MadeVectors(FINGERPRINT, "made up", "", DIMENSIONS)


@pytest.fixture
async def engine(plugin_node: RunningNode) -> AsyncIterator[Engine]:
    client = await connect(EngineOptions(url=plugin_node.url, timeout=120))
    yield client
    await client.close()


@pytest.fixture
async def made(engine: Engine) -> AsyncIterator[IndexShape]:
    shape = await large_index(engine, DOCUMENTS, VECTORS)
    yield shape
    await through_engine.drop(engine, shape.name)


@pytest.fixture
async def stand_in() -> AsyncIterator[SidecarClient]:
    with fixed_sidecar(DIMENSIONS, FINGERPRINT) as url:
        async with SidecarClient(SidecarClientOptions(url=url)) as client:
            yield client


async def test_every_part_measures(
    engine: Engine, made: IndexShape, stand_in: SidecarClient
) -> None:
    assert made.documents == DOCUMENTS
    ways = await bench_rescore(engine, made.name, VECTORS, window=50, calls=5, warm=1)
    assert {name: sample.n for name, sample in ways.items()} == dict.fromkeys(
        ("no rescore", "the window alone", "exact k-NN", "own query", "script"), 5
    )
    bench = Bench(seconds=1)
    for measure in (bench_plugin_search, bench_outside):
        await measure(bench, engine, made.name, stand_in, windows=[10, 50], calls=5)
    search, outside = bench.sections.values()
    for window in (10, 50):
        assert search[f"reranked, window {window}"]["n"] == 5
        assert {"window", "sidecar", "rescore"} <= set(search[f"stages, window {window}"])
        assert outside[f"fetched with vectors, window {window}"]["n"] >= 5
