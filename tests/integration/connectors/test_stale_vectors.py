"""Documents whose vector another model made, as a copy from another index leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.engine import Engine
from connectors.search import Searcher, SearchOptions
from plugin.ranking.hits import FusionWeights, Status
from tests.integration.connectors.conftest import WITHOUT_VECTOR, Stored, fill

BODY = {"query": {"match": {"text": "why does cold water damage pipes"}}, "size": 60}


def ids(body: Mapping[str, Any]) -> list[str]:
    return [hit["_id"] for hit in body["hits"]["hits"]]


async def make_foreign(engine: Engine, index: Stored, found: list[str]) -> None:
    """Let the index say that another model made the vectors of ``found``."""
    lines: list[dict[str, Any]] = []
    for id_ in found:
        hash_ = f"{'f' * 16}:{'0' * 16}"
        lines += [{"update": {"_id": id_}}, {"doc": {index.meta.hash_field: hash_}}]
    outcome = await engine.bulk(index.name, lines)
    assert [item.error for item in outcome.items if item.error] == []
    await engine.request("POST", f"/{index.name}/_refresh")


@pytest.fixture
async def index(engine: Engine, stored: Stored, scratch: str) -> Stored:
    """One shard, so that what is beyond the window is in one place."""
    made = Stored(scratch, stored.meta, stored.vectors)
    await fill(engine, made, 1)
    return made


@pytest.mark.parametrize("rescore", ["script", "knn"])
async def test_the_leading_hits_fall_behind_with_a_vector_of_another_model(
    searcher: Searcher, engine: Engine, index: Stored, rescore: str
) -> None:
    if rescore == "script" and engine.kind == "elasticsearch":
        rescore = "auto"  # the node of the tests has no painless
    options = SearchOptions(rescore=rescore, fusion=FusionWeights(query=1.0), explain=True)
    foreign = ids((await searcher.search(index.name, BODY, options)).body)[:2]
    await make_foreign(engine, index, foreign)
    result = await searcher.search(index.name, BODY, options)
    assert result.status is Status.PARTIAL
    assert result.reason == f"not_embedded:{len(WITHOUT_VECTOR)}; stale_vector:2"
    unscored = [id_ for id_ in ids(await engine.search(index.name, BODY)) if id_ in foreign]
    assert [id_ for id_ in ids(result.body)[-4:] if id_ not in WITHOUT_VECTOR] == unscored


async def test_one_among_the_prompt_hits_makes_the_whole_window_be_looked_at(
    searcher: Searcher, engine: Engine, index: Stored
) -> None:
    plain = [one for one in ids(await engine.search(index.name, BODY)) if one not in WITHOUT_VECTOR]
    foreign = {plain[0], plain[30]}
    await make_foreign(engine, index, sorted(foreign))
    places = sorted(map(ids(await engine.search(index.name, BODY)).index, foreign))
    result = await searcher.search(index.name, BODY, SearchOptions(prompt_hits=places[0] + 1))
    assert "stale_vector:2" in (result.reason or "")
    assert set(ids(result.body)[-4:]) == foreign | WITHOUT_VECTOR


async def test_rocchio_is_fed_no_vector_of_another_model(
    searcher: Searcher, engine: Engine, index: Stored
) -> None:
    """With none of the three vectors at the top, the mean is the query's own."""
    await make_foreign(engine, index, ids(await engine.search(index.name, BODY))[:30])
    rocchio = SearchOptions(fusion=FusionWeights(rocchio=1.0), prompt_hits=3)
    query = SearchOptions(fusion=FusionWeights(query=1.0), prompt_hits=3)
    result = await searcher.search(index.name, BODY, rocchio)
    assert "stale_vector:" in (result.reason or "")
    assert ids(result.body) == ids((await searcher.search(index.name, BODY, query)).body)
