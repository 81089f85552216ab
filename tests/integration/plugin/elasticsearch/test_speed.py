"""What `make bench-plugin` measures on Elasticsearch once, short: that it does, not how much."""

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
from evaluation.plugin_speed import bench_outside
from evaluation.rescore_speed import bench_rescore
from evaluation.speed import Bench

DOCUMENTS, DIMENSIONS, FINGERPRINT = 1_500, 384, "made"
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


async def test_every_part_measures(engine: Engine, made: IndexShape) -> None:
    assert made.documents == DOCUMENTS
    ways = await bench_rescore(engine, made.name, VECTORS, window=50, calls=5, warm=1)
    # The local node has no painless, so there is no script to compare with.
    assert {name: sample.n for name, sample in ways.items()} == dict.fromkeys(
        ("no rescore", "the window alone", "exact k-NN", "own query"), 5
    )
    bench = Bench(seconds=1)
    with fixed_sidecar(DIMENSIONS, FINGERPRINT) as url:
        async with SidecarClient(SidecarClientOptions(url=url)) as stand_in:
            await bench_outside(bench, engine, made.name, stand_in, windows=[10, 50], calls=5)
    (outside,) = bench.sections.values()
    for window in (10, 50):
        assert outside[f"fetched with vectors, window {window}"]["n"] >= 5
