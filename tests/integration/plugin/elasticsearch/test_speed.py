"""What `make bench-plugin` measures on Elasticsearch once, short: that it does, not how much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation.fixed_sidecar import fixed_sidecar
from evaluation.large_index import MadeVectors, large_index
from evaluation.plugin_speed import bench_outside, bench_plugin_search
from evaluation.rescore_speed import bench_rescore
from evaluation.speed import Bench
from tests.integration.plugin.elasticsearch.conftest import StartNode

DOCUMENTS, DIMENSIONS, FINGERPRINT = 1_500, 32, "made"
VECTORS = MadeVectors(FINGERPRINT, "made up", "", DIMENSIONS)


@pytest.fixture
def stand_in() -> Iterator[str]:
    with fixed_sidecar(DIMENSIONS, FINGERPRINT) as url:
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
