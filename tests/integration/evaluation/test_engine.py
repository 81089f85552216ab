"""A collection of our own through real searches: node, sidecar, window search, rescore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.connect import connect
from connectors.options import EngineOptions, SidecarClientOptions
from evaluation.collections import Collection, load_collection
from evaluation.engine import PREFIX, prepare
from evaluation.experiment import Through
from evaluation.live_index import LiveIndex
from evaluation.local_sidecar import local_sidecar
from evaluation.session import Evaluation, EvaluationOptions, evaluate
from evaluation.strategies import parse_variants
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SidecarUnavailable
from tests.tiny import DOCUMENTS, write_collection

STRATEGIES = "none,query,e2rank:listwise=1,query=1,e2rank:query=1,first_stage=0.1,rocchio"
MODEL = "all-minilm-l6-v2"


@pytest.fixture
def tiny(tmp_path: Path) -> Collection:
    return load_collection(write_collection(tmp_path / "tiny"))


@pytest.fixture(scope="module")
def sidecar() -> Iterator[SidecarClientOptions]:
    with local_sidecar(["--model", MODEL], {"RANKSIDE_CONFIG": ""}) as url:
        yield SidecarClientOptions(url=url, timeout=60)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """A node's address; what an evaluation leaves there is removed."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    yield url
    for index in indices(url):
        httpx.delete(f"{url}/{index}")


def indices(url: str) -> list[str]:
    """What evaluations of the tiny collection have made on a node."""
    rows = httpx.get(f"{url}/_cat/indices/{PREFIX}tiny-*?format=json").json()
    return [row["index"] for row in rows]


async def run(
    tiny: Collection, url: str, sidecar: SidecarClientOptions, through: Through, cache: Path
) -> Evaluation:
    options = EvaluationOptions(
        parse_variants(STRATEGIES),
        k=10,
        through=through,
        engine=EngineOptions(url=url),
        sidecar=sidecar,
        model=ModelOptions(name=MODEL),
        cache=cache,
    )
    return await evaluate(tiny, options)


@pytest.mark.parametrize("engine", ["opensearch", "elasticsearch"], indirect=True)
async def test_real_searches_rank_as_the_core_does_in_memory(
    tiny: Collection, engine: str, sidecar: SidecarClientOptions, tmp_path: Path
) -> None:
    tiny = replace(tiny, excluded={"q2": frozenset({"sail"})})
    searched = await run(tiny, engine, sidecar, Through.ENGINE, tmp_path)
    ranked = await run(tiny, engine, sidecar, Through.MEMORY, tmp_path)
    document = searched.to_json()
    assert document["through"] == "engine"
    assert document["first_stage"]["engine"] in {"opensearch", "elasticsearch"}
    assert document["results"][1]["latency_ms"]["total"]["p50"] > 0
    for one, other in zip(searched.results, ranked.results, strict=True):
        assert one.outcome.signals == other.outcome.signals
        if one.outcome.variant.label != "none":
            assert one.outcome.statuses == {"reranked": 3}, one.outcome.reasons
        for query, found in one.outcome.run.items():
            in_memory = [hit.id for hit in other.outcome.run[query]]
            assert [hit.id for hit in found] == in_memory, one.outcome.variant.label
        # It speaks of wind and boat, and would be found by the words of the query.
        assert "sail" not in {hit.id for hit in one.outcome.run["q2"]}
        assert "keel" in {hit.id for hit in one.outcome.run["q2"]}


@pytest.mark.parametrize("engine", ["opensearch", "elasticsearch"], indirect=True)
async def test_an_index_that_is_there_is_evaluated_as_it_is(
    tiny: Collection, engine: str, sidecar: SidecarClientOptions, tmp_path: Path
) -> None:
    made = await run(tiny, engine, sidecar, Through.ENGINE, tmp_path)
    (index,) = indices(engine)
    # Nothing is known but the index: documents, texts and vectors are there.
    judged = replace(tiny, name=index, documents={})
    options = replace(made.options, live=LiveIndex(index))
    live = await evaluate(judged, options)

    document = live.to_json(per_query=True)
    assert document["documents"] == len(DOCUMENTS)
    assert document["first_stage"]["index"] == index
    for one, other in zip(live.results, made.results, strict=True):
        assert one.outcome.statuses == other.outcome.statuses
        assert one.scores.means == pytest.approx(other.scores.means)
    assert (live.losses, live.texts) == (made.losses, made.texts)
    assert live.texts  # rocchio loses one, so that there is something to show


@pytest.mark.parametrize("engine", ["opensearch"], indirect=True)
async def test_a_first_stage_of_ones_own_is_searched_as_it_is_written(
    tiny: Collection, engine: str
) -> None:
    client = await connect(EngineOptions(url=engine))
    try:
        name = await prepare(client, tiny, None)
    finally:
        await client.close()
    body = {"query": {"bool": {"must": {"match": {"text": "{{query}}"}},
                               "must_not": {"ids": {"values": ["keel"]}}}}}  # fmt: skip
    options = EvaluationOptions(
        parse_variants("none"), k=10, live=LiveIndex(name, body), engine=EngineOptions(url=engine)
    )
    done = await evaluate(replace(tiny, documents={}), options)
    (none,) = done.results
    found = [one.id for one in none.outcome.run["q2"]]
    assert "anchor" in found
    assert "keel" not in found
    assert done.model == {}


@pytest.mark.parametrize("engine", ["opensearch"], indirect=True)
async def test_an_index_is_made_once_and_made_again_where_it_was_cut_off(
    tiny: Collection, engine: str
) -> None:
    steps: list[int] = []

    def track(_what: str, _total: int) -> Callable[[int], None]:
        return steps.append

    client = await connect(EngineOptions(url=engine))
    try:
        name = await prepare(client, tiny, None, track=track)
        assert sum(steps) == len(DOCUMENTS)
        assert await prepare(client, tiny, None, track=track) == name
        assert sum(steps) == len(DOCUMENTS)
        body = {"_meta": {"rankside_eval": None}}
        await client.request("PUT", f"/{name}/_mapping", body=body)
        assert await prepare(client, tiny, None, track=track) == name
        assert sum(steps) == 2 * len(DOCUMENTS)
        assert await prepare(client, tiny, None, analyzer="english") != name
    finally:
        await client.close()


def test_a_sidecar_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(SidecarUnavailable, match="nosuchmodel"),
        local_sidecar(["--model", "nosuchmodel"], {"RANKSIDE_CONFIG": ""}),
    ):
        pass
