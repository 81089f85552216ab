from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from plugin.ranking.errors import (
    ModelOutputError,
    Overloaded,
    SettingsError,
    SidecarRejected,
    SidecarUnavailable,
)
from plugin.ranking.hits import Status
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ListwiseCall, RankCall, WireHit
from tests.unit.connectors.conftest import Certificates

CARD = {"id": "m", "fingerprint": "f" * 16, "dimensions": 3, "prompt_hits": 5}
HITS = [WireHit(id="a", score=2.0, text="x"), WireHit(id="b", score=1.0, text="y")]
MODEL = {"name": "m", "revision": "", "fingerprint": "f" * 16}
LISTWISE = {
    "vector": [0.6, 0.8, 0.0],
    "first_stage_weight": 0.1,
    "status": "reranked",
    "model": MODEL,
    "signals": {"listwise": 1.0},
    "timings_ms": {},
    "usage": {},
}
Handler = Callable[[httpx.Request], httpx.Response]


def ranked(*ids: str) -> dict[str, Any]:
    results = [
        {"id": id_, "rank": n, "score": 1.0, "first_stage_rank": n, "first_stage_score": 1.0}
        for n, id_ in enumerate(ids, 1)
    ]
    rest = {"status": "reranked", "strategy": "insertrank", "model": None}
    return {"results": results, **rest, "timings_ms": {}, "usage": {}}


def client(handler: Handler, **options: Any) -> SidecarClient:
    known = SidecarClientOptions.model_validate({"url": "http://sidecar:1", **options})
    return SidecarClient(known, transport=httpx.MockTransport(handler))


def always(status: int, body: Any, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, content=json.dumps(body), headers=headers)


async def test_a_listwise_call_and_its_vector() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=LISTWISE)

    async with client(handler, api_key="k3y") as sidecar:
        answer = await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
    vector = answer.to_vector()
    assert vector is not None
    assert vector.dtype == np.float32
    assert answer.status is Status.RERANKED
    assert seen[0].url.path == "/v1/listwise"
    assert seen[0].headers["authorization"] == "Bearer k3y"
    sent = json.loads(seen[0].content)
    assert sent["hits"][0] == {"id": "a", "score": 2.0, "text": "x"}
    assert "fusion" not in sent


@pytest.mark.parametrize(
    "change",
    [
        {"vector": [float("nan"), 0.0, 1.0]},
        {"vector": [float("inf"), 0.0, 1.0]},
        {"vector": [0.0, 0.0, 0.0]},
        {"vector": "no base64!"},
        {"vector": to_base64(np.array([np.nan], dtype=np.float32))},
        {"vector": [0.1, None, 0.2]},
        {"vector": None},
        {"status": "passed_through"},
        {"status": "splendid"},
        {"first_stage_weight": float("nan")},
        {"first_stage_weight": float("inf")},
        {"first_stage_weight": -0.1},
        {"surprise": 1},
    ],
)
async def test_a_listwise_answer_that_makes_no_sense(change: dict[str, Any]) -> None:
    async with client(always(200, {**LISTWISE, **change})) as sidecar:
        with pytest.raises(ModelOutputError):
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))


async def test_a_search_that_the_sidecar_passes_through() -> None:
    body = {**LISTWISE, "vector": None, "status": "passed_through", "reason": "deadline"}
    async with client(always(200, body)) as sidecar:
        answer = await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
    assert (answer.to_vector(), answer.reason) == (None, "deadline")


@pytest.mark.parametrize("ids", [("a",), ("a", "a"), ("a", "c"), ("a", "b", "c"), ()])
async def test_a_ranking_of_other_hits_is_refused(ids: tuple[str, ...]) -> None:
    async with client(always(200, ranked(*ids))) as sidecar:
        with pytest.raises(ModelOutputError, match="other hits"):
            await sidecar.rank(RankCall(query="q", hits=HITS))


async def test_a_ranking() -> None:
    async with client(always(200, ranked("b", "a"))) as sidecar:
        answer = await sidecar.rank(RankCall(query="q", hits=HITS))
    assert [item.id for item in answer.results] == ["b", "a"]


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", 1.0), ("-3", 1.0), ("inf", 1.0)]
)
async def test_overload_says_when_to_come_back(header: str, seconds: float) -> None:
    body = {"error": {"message": "full", "type": "x", "code": 429, "request_id": "r"}}
    async with client(always(429, body, **{"Retry-After": header})) as sidecar:
        with pytest.raises(Overloaded, match="full") as caught:
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("body", [{"error": {"message": "too long"}}, "too long", ["too long"]])
async def test_any_other_error_answer_is_told(body: Any) -> None:
    async with client(always(413, body)) as sidecar:
        with pytest.raises(SidecarRejected, match=r"413.*too long") as caught:
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
    assert caught.value.status == 413


async def test_what_is_nested_too_deep_to_be_read_is_no_answer() -> None:
    tower = b'{"a":' * 50_000
    async with client(lambda _: httpx.Response(200, content=tower)) as sidecar:
        with pytest.raises(ModelOutputError, match="not a sidecar"):
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
    async with client(lambda _: httpx.Response(500, content=tower)) as sidecar:
        with pytest.raises(SidecarRejected, match="500"):
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("gone"),
        httpx.RemoteProtocolError("half an answer"),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_a_sidecar_that_is_not_there(error: httpx.HTTPError) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    async with client(handler) as sidecar:
        with pytest.raises(SidecarUnavailable, match="http://sidecar:1"):
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
        assert not await sidecar.ready()


async def test_a_limit_holds_for_the_whole_call() -> None:
    """A server that trickles bytes never lets a read time out."""

    async def stall(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    options = SidecarClientOptions(url="http://sidecar:1", timeout=0.05)
    async with SidecarClient(options, transport=httpx.MockTransport(stall)) as sidecar:
        with pytest.raises(SidecarUnavailable, match="in time"):
            await sidecar.listwise(ListwiseCall(query="q", hits=HITS))
        assert not await sidecar.ready()


def models(*cards: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(cards)}


async def test_cards_are_asked_once_until_forgotten() -> None:
    served = [dict(CARD, id="old"), dict(CARD, id="new")]
    calls: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return httpx.Response(200, json=models(served[len(calls) - 1], {"id": "l", "kind": "llm"}))

    async with client(handler) as sidecar:
        assert (await sidecar.model()).id == "old"
        assert (await sidecar.model()).id == "old"
        llm = await sidecar.llm()
        assert llm is not None
        assert llm.id == "l"
        assert calls == ["/v1/models"]
        sidecar.forget()
        assert (await sidecar.model()).id == "new"


async def test_no_encoder_and_no_llm() -> None:
    async with client(always(200, models())) as sidecar:
        with pytest.raises(ModelOutputError, match="no encoder"):
            await sidecar.model()
        assert await sidecar.llm() is None


def embeddings(*vectors: Any, **change: Any) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json=models(CARD))
        rows = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
        return httpx.Response(200, content=json.dumps({"data": rows[::-1], **change}))

    return handler


async def test_embeddings_come_back_in_the_order_of_the_texts() -> None:
    first = to_base64(np.array([1, 0, 0], dtype=np.float32))
    async with client(embeddings(first, [0.0, 1.0, 0.0])) as sidecar:
        vectors = await sidecar.embed_documents(["x", "y"])
        assert vectors.dtype == np.float32
        assert vectors.tolist() == [[1, 0, 0], [0, 1, 0]]
        assert (await sidecar.embed_queries(["x", "y"])).shape == (2, 3)


@pytest.mark.parametrize(
    "handler",
    [
        embeddings([1.0, 0.0, 0.0]),
        embeddings([1.0, 0.0], [0.0, 1.0]),
        embeddings([1.0, 0.0, 0.0], [float("nan"), 1.0, 0.0]),
        embeddings([1.0, 0.0, 0.0], "?"),
        embeddings(data=[{"embedding": [1.0]}]),
        embeddings(data=None),
        embeddings(data=[1, 2]),
    ],
)
async def test_embeddings_that_make_no_sense(handler: Handler) -> None:
    async with client(handler) as sidecar:
        with pytest.raises(ModelOutputError):
            await sidecar.embed_documents(["x", "y"])


async def test_ready() -> None:
    async with client(always(200, {})) as sidecar:
        assert await sidecar.ready()
    async with client(always(503, {})) as sidecar:
        assert not await sidecar.ready()


@pytest.mark.parametrize("secure", [False], indirect=True)
async def test_an_authority_of_ones_own(
    secure: tuple[str, bool], certificates: Certificates, tmp_path: Path
) -> None:
    url, _ = secure
    trusting = SidecarClientOptions(url=url, ca_file=certificates["ca"])
    async with SidecarClient(trusting) as sidecar:
        assert await sidecar.ready()
    async with SidecarClient(SidecarClientOptions(url=url)) as sidecar:
        with pytest.raises(SidecarUnavailable):
            await sidecar.model()
    broken = tmp_path / "ca.pem"
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        SidecarClient(SidecarClientOptions(url=url, ca_file=broken))
    broken.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        SidecarClient(SidecarClientOptions(url=url, ca_file=broken))
