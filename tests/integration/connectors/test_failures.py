"""A search outlives its sidecar: whatever fails there, the user's own request is answered."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from connectors.engine import Engine
from connectors.options import SidecarClientOptions
from connectors.search import Method, OnFailure, Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from plugin.models.encoder import Encoder
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RanksideError,
    SettingsError,
    SidecarRejected,
    SidecarUnavailable,
)
from plugin.ranking.hits import Status, Strategy
from tests.broken_answers import ANYWHERE, OF_LISTWISE, OF_RANK, Broken
from tests.fake_sidecar import FakeSidecar, faking, says, stalls
from tests.integration.connectors.conftest import WITHOUT_VECTOR, Stored, fill

QUERY = {"match": {"text": "why does cold water damage pipes"}}
BODY = {"query": QUERY, "aggs": {"places": {"terms": {"field": "place"}}}}


ERRORS: Mapping[str, type[RanksideError]] = {
    "sidecar_rejected": SidecarRejected,
    "sidecar_unavailable": SidecarUnavailable,
    "overloaded": Overloaded,
    "unusable_answer": ModelOutputError,
    "stale_vectors": SettingsError,
    "encoder_output": ModelUnavailable,
}
"""With on_failure: fail, by reason."""

ANSWERS = {**ANYWHERE, **OF_LISTWISE}


@pytest.fixture
def fake(minilm: Encoder) -> Iterator[FakeSidecar]:
    with faking(minilm.profile) as made:
        yield made


@pytest.fixture
async def client(fake: FakeSidecar) -> AsyncIterator[SidecarClient]:
    async with SidecarClient(SidecarClientOptions(url=fake.url, timeout=5)) as opened:
        yield opened


async def passed_through(
    engine: Engine, client: SidecarClient, index: str, broken: Broken, **options: Any
) -> None:
    """Assert that a search is answered as without us, or is the right error where that is asked."""
    searcher = Searcher(engine, client)
    plain = await engine.search(index, BODY)
    result = await searcher.search(index, BODY, SearchOptions(**options))
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, broken.reason)
    assert result.detail
    assert result.body["hits"] == plain["hits"]
    assert result.body["aggregations"] == plain["aggregations"]
    failing = SearchOptions(on_failure=OnFailure.FAIL, **options)
    with pytest.raises(ERRORS[broken.reason]):
        await searcher.search(index, BODY, failing)


@pytest.mark.parametrize("broken", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_cannot_be_used_leaves_the_search_as_it_was(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    await passed_through(engine, client, stored.name, broken)
    assert len(fake.calls) == 2  # none was tried again


@pytest.mark.parametrize("broken", OF_RANK.values(), ids=OF_RANK)
async def test_an_order_of_other_hits_than_were_sent_leaves_the_search_as_it_was(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    await passed_through(engine, client, stored.name, broken, strategy=Strategy.INSERTRANK)


async def test_a_sound_answer_of_the_fake_is_used(
    engine: Engine, client: SidecarClient, stored: Stored
) -> None:
    """So that the failures above are not the fake's own."""
    searcher = Searcher(engine, client)
    for strategy in (Strategy.E2RANK, Strategy.INSERTRANK):
        result = await searcher.search(stored.name, BODY, SearchOptions(strategy=strategy))
        assert result.status is not Status.PASSED_THROUGH
        # Where the whole window is looked at, two documents without a vector are seen.
        assert result.reason in {None, f"not_embedded:{len(WITHOUT_VECTOR)}"}
        assert result.method is Method.RESCORE


@pytest.mark.parametrize("strategy", [Strategy.E2RANK, Strategy.INSERTRANK, Strategy.CASCADE])
async def test_a_sidecar_that_is_down(engine: Engine, stored: Stored, strategy: Strategy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    plain = await engine.search(stored.name, BODY)
    options = SearchOptions(strategy=strategy)
    failing = SearchOptions(strategy=strategy, on_failure=OnFailure.FAIL)
    async with SidecarClient(SidecarClientOptions(url=f"http://127.0.0.1:{port}")) as gone:
        searcher = Searcher(engine, gone)
        result = await searcher.search(stored.name, BODY, options)
        assert (result.status, result.reason) == (Status.PASSED_THROUGH, "sidecar_unavailable")
        assert result.body["hits"] == plain["hits"]
        with pytest.raises(SidecarUnavailable, match="rankside serve"):
            await searcher.search(stored.name, BODY, failing)


async def test_a_sidecar_that_stalls_beyond_the_clients_limit(
    engine: Engine, fake: FakeSidecar, stored: Stored
) -> None:
    plain = await engine.search(stored.name, BODY)
    async with SidecarClient(SidecarClientOptions(url=fake.url, timeout=0.3)) as hasty:
        await hasty.model()
        fake.behaviour = stalls(fake.sound())
        result = await Searcher(engine, hasty).search(stored.name, BODY)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "sidecar_unavailable")
    assert result.body["hits"] == plain["hits"]


async def test_a_deadline_ends_the_waiting(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored
) -> None:
    plain = await engine.search(stored.name, BODY)
    fake.behaviour = stalls(fake.sound())
    searcher = Searcher(engine, client)
    result = await searcher.search(stored.name, BODY, SearchOptions(deadline=0.5))
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "deadline")
    assert result.body["hits"] == plain["hits"]
    failing = SearchOptions(deadline=0.5, on_failure=OnFailure.FAIL)
    with pytest.raises(DeadlineExceeded, match=r"0\.5 s"):
        await searcher.search(stored.name, BODY, failing)


async def test_a_cascade_whose_head_fails_is_e2rank(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored
) -> None:
    """The fake's one answer is a listwise vector, which is no ranking."""
    fake.behaviour = says(200, fake.listwise())
    exact = SearchOptions(exact_window=True)
    searcher = Searcher(engine, client)
    first = await searcher.search(stored.name, BODY, exact)
    options = SearchOptions(strategy=Strategy.CASCADE)
    result = await searcher.search(stored.name, BODY, options)
    assert result.status is Status.PARTIAL
    assert "head_passed_through:unusable_answer" in (result.reason or "")
    assert result.body["hits"] == first.body["hits"]
    failing = SearchOptions(strategy=Strategy.CASCADE, on_failure=OnFailure.FAIL)
    with pytest.raises(ModelOutputError):
        await searcher.search(stored.name, BODY, failing)


async def test_an_index_under_re_embedding_is_not_rescored(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    blank = stored.meta.model_copy(update={"fingerprint": ""})
    await fill(engine, Stored(scratch, blank, stored.vectors), 1)
    result = await searcher.search(scratch, BODY)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "reembedding")
    with pytest.raises(SettingsError, match="backfill"):
        await searcher.search(scratch, BODY, SearchOptions(on_failure=OnFailure.FAIL))


async def test_a_broken_meta_is_told_of(
    searcher: Searcher, engine: Engine, stored: Stored, scratch: str
) -> None:
    await fill(engine, Stored(scratch, stored.meta, stored.vectors), 1)
    broken = {"_meta": {"rankside": {"dimensions": "many"}}}
    await engine.request("PUT", f"/{scratch}/_mapping", body=broken)
    result = await searcher.search(scratch, BODY)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "broken_meta")
