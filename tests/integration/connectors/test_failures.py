"""A search outlives its sidecar: whatever fails there, the user's own request is answered."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

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
from plugin.ranking.profile import ModelProfile
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ModelCard, ModelList
from tests.integration.connectors.conftest import Stored, fill
from tests.serving import serving

QUERY = {"match": {"text": "why does cold water damage pipes"}}
BODY = {"query": QUERY, "aggs": {"places": {"terms": {"field": "place"}}}}


@dataclass
class FakeSidecar:
    """Lists the real model and answers every ranking call as it is told."""

    profile: ModelProfile
    answer: Response = field(default_factory=Response)
    delay: float = 0.0
    calls: int = 0

    @property
    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/v1/models", self.models)
        app.add_api_route("/v1/listwise", self.rank, methods=["POST"], response_model=None)
        app.add_api_route("/v1/rank", self.rank, methods=["POST"], response_model=None)
        return app

    async def models(self) -> ModelList:
        profile = self.profile
        card = ModelCard(
            id=profile.name,
            fingerprint=profile.fingerprint,
            dimensions=profile.dimensions,
            prompt_hits=5,
        )
        return ModelList(data=[card, ModelCard(id="llm", kind="llm", prompt_hits=5)])

    async def rank(self, request: Request) -> Response:
        await request.body()
        self.calls += 1
        await asyncio.sleep(self.delay)
        return self.answer

    def listwise(self, vector: Any, **changes: Any) -> Response:
        """An answer of `/v1/listwise` with this vector."""
        fingerprint = changes.pop("fingerprint", self.profile.fingerprint)
        body = {
            "vector": vector,
            "first_stage_weight": 0.1,
            "status": "reranked",
            "model": {"name": self.profile.name, "revision": "", "fingerprint": fingerprint},
            "signals": {"listwise": 1.0},
            "timings_ms": {},
            "usage": {},
        }
        return RawJSON({**body, **changes})


class RawJSON(JSONResponse):
    """JSON that may hold NaN, as a broken server's may."""

    def render(self, content: Any) -> bytes:
        import json

        return json.dumps(content).encode()


@pytest.fixture(scope="module")
def fake(minilm: Encoder) -> FakeSidecar:
    return FakeSidecar(minilm.profile)


@pytest.fixture(scope="module")
def fake_url(fake: FakeSidecar) -> Iterator[str]:
    with serving(fake.app) as url:
        yield url


@pytest.fixture
async def client(fake: FakeSidecar, fake_url: str) -> AsyncIterator[SidecarClient]:
    fake.delay, fake.calls = 0.0, 0
    async with SidecarClient(SidecarClientOptions(url=fake_url, timeout=5)) as opened:
        yield opened


def vector_of(fake: FakeSidecar, value: float = 0.05) -> str:
    return to_base64(np.full(fake.profile.dimensions, value, dtype=np.float32))


def answers(fake: FakeSidecar) -> dict[str, tuple[Response, str, type[RanksideError]]]:
    """What the sidecar answers, why it is left aside, and the error with on_failure: fail."""
    short = to_base64(np.full(7, 0.1, dtype=np.float32))
    error = {"error": {"message": "it broke", "type": "x", "code": 500, "request_id": "1"}}
    busy = JSONResponse(error, 429, headers={"Retry-After": "3"})
    sound = vector_of(fake)
    return {
        "error": (JSONResponse(error, 500), "sidecar_rejected", SidecarRejected),
        "busy": (busy, "overloaded", Overloaded),
        "page": (PlainTextResponse("<html>"), "unusable_answer", ModelOutputError),
        "other": (JSONResponse({"ok": True}), "unusable_answer", ModelOutputError),
        "list": (JSONResponse([1]), "unusable_answer", ModelOutputError),
        "nan": (
            fake.listwise([float("nan")] * 384), "unusable_answer", ModelOutputError
        ),
        "nan base64": (
            fake.listwise(vector_of(fake, float("nan"))), "unusable_answer", ModelOutputError
        ),
        "nan weight": (
            fake.listwise(sound, first_stage_weight=float("nan")),
            "unusable_answer",
            ModelOutputError,
        ),
        "negative weight": (
            fake.listwise(sound, first_stage_weight=-1.0), "unusable_answer", ModelOutputError
        ),
        "zero": (fake.listwise(vector_of(fake, 0.0)), "unusable_answer", ModelOutputError),
        "short": (fake.listwise(short), "unusable_answer", ModelOutputError),
        "no base64": (fake.listwise("%%%"), "unusable_answer", ModelOutputError),
        "contradiction": (fake.listwise(None), "unusable_answer", ModelOutputError),
        "stale": (fake.listwise(sound, fingerprint="0" * 16), "stale_vectors", SettingsError),
        "passed through": (
            fake.listwise(None, status="passed_through", reason="encoder_output"),
            "encoder_output",
            ModelUnavailable,
        ),
    }  # fmt: skip


NAMES = (
    "error", "busy", "page", "other", "list", "nan", "nan base64", "nan weight", "negative weight",
    "zero", "short", "no base64", "contradiction", "stale", "passed through",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_that_cannot_be_used_leaves_the_search_as_it_was(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored, name: str
) -> None:
    fake.answer, reason, error = answers(fake)[name]
    searcher = Searcher(engine, client)
    plain = await engine.search(stored.name, BODY)
    result = await searcher.search(stored.name, BODY)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, reason)
    assert result.detail
    assert result.body["hits"] == plain["hits"]
    assert result.body["aggregations"] == plain["aggregations"]
    assert fake.calls == 1
    with pytest.raises(error):
        await searcher.search(stored.name, BODY, SearchOptions(on_failure=OnFailure.FAIL))


async def test_a_sound_answer_of_the_fake_is_used(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored
) -> None:
    """So that the failures above are not the fake's own."""
    fake.answer = fake.listwise(vector_of(fake))
    result = await Searcher(engine, client).search(stored.name, BODY)
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
    engine: Engine, fake: FakeSidecar, fake_url: str, stored: Stored
) -> None:
    plain = await engine.search(stored.name, BODY)
    async with SidecarClient(SidecarClientOptions(url=fake_url, timeout=0.3)) as hasty:
        await hasty.model()
        fake.delay = 3.0
        result = await Searcher(engine, hasty).search(stored.name, BODY)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "sidecar_unavailable")
    assert result.body["hits"] == plain["hits"]


async def test_a_deadline_ends_the_waiting(
    engine: Engine, client: SidecarClient, fake: FakeSidecar, stored: Stored
) -> None:
    plain = await engine.search(stored.name, BODY)
    fake.delay = 4.0
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
    fake.answer = fake.listwise(vector_of(fake))
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
