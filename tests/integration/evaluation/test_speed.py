"""Every part of `make bench` once, short: that it measures, not how much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation import speed
from evaluation.local_sidecar import local_sidecar
from evaluation.speed import Bench
from ingest.index import find_index
from plugin.models.encoder import Encoder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_sidecar(["--model", "all-minilm-l6-v2"], {"RANKSIDE_CONFIG": ""}) as url:
        yield url


@pytest.fixture
async def sidecar(address: str) -> AsyncIterator[SidecarClient]:
    async with SidecarClient(SidecarClientOptions(url=address, timeout=120)) as client:
        yield client


@pytest.fixture
async def engine(opensearch_url: str) -> AsyncIterator[Engine]:
    client = await connect(EngineOptions(url=opensearch_url))
    yield client
    await client.close()


async def test_the_encoder_alone(minilm: Encoder) -> None:
    bench = Bench(seconds=0.01)
    await speed.bench_encoder(bench, minilm)
    batch, listwise = bench.sections["encoder"].values()
    assert batch["documents_per_second"] > 0
    assert listwise["n"] >= 5


async def test_the_sidecar_alone_and_under_company(sidecar: SidecarClient) -> None:
    bench = Bench(seconds=0.01)
    await speed.bench_sidecar(bench, sidecar)
    assert len(bench.sections["sidecar"]) == 4
    for figures in bench.sections["sidecar"].values():
        assert figures["per_second"] > 0


async def test_the_fast_path_encodes_less_than_the_published_way(sidecar: SidecarClient) -> None:
    bench = Bench(seconds=0.01)
    await speed.bench_ratio(bench, sidecar, window=20)
    *both, ratio = bench.sections["fast path"].values()
    assert [figures["n"] for figures in both] == [5, 5]
    assert ratio["times"] > 0


async def test_searches_by_stage_and_nothing_left_behind(
    engine: Engine, sidecar: SidecarClient
) -> None:
    bench = Bench(seconds=0.01)
    async with speed.bench_index(engine, await sidecar.model(), documents=60) as index:
        await speed.bench_search(bench, engine, sidecar, index)
    plain, reranked, stages = bench.sections["search"].values()
    assert plain["n"] == reranked["n"] == 5
    assert {"window", "sidecar", "rescore"} <= set(stages)
    assert sum(stage["share"] for stage in stages.values()) == pytest.approx(1, abs=0.2)
    assert await find_index(engine, index) is None
