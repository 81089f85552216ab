from __future__ import annotations

import logging
import threading
import time

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.ranking.errors import ModelOutputError, ModelUnavailable, RanksideError
from plugin.sidecar import lifecycle
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import Gate, Serve, WordEncoder
from tests.serving import serving


def wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_while_the_model_loads_the_server_lives_and_is_not_ready(
    serve: Serve, encoder: WordEncoder
) -> None:
    load = threading.Event()

    def slowly() -> Encoder:
        load.wait(30)
        return encoder

    client = serve(slowly)
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert "loading" in ready.json()["error"]["message"]
    assert client.get("/v1/models").status_code == 503
    assert client.post("/v1/embeddings", json={"input": "x"}).status_code == 503
    assert "rankside_ready 0.0" in client.get("/metrics").text
    load.set()
    wait_until_ready(client)
    assert client.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    assert "rankside_ready 1.0" in client.get("/metrics").text


def test_a_given_model_is_warm_before_the_first_answer(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    warmed = [text for batch in encoder.batches for text in batch]
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert len(warmed) == 3


def test_a_model_that_cannot_be_loaded_ends_the_sidecar(
    serve: Serve, fatal: list[RanksideError]
) -> None:
    def absent() -> Encoder:
        raise ModelUnavailable("no such file")

    client = serve(absent)
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert [str(error) for error in fatal] == ["no such file"]


def test_a_model_that_fails_warm_up_ends_the_sidecar(
    serve: Serve, encoder: WordEncoder, fatal: list[RanksideError]
) -> None:
    encoder.spoil = lambda vectors: vectors[:1]
    client = serve()
    assert client.get("/health/ready").status_code == 503
    assert isinstance(fatal[0], ModelOutputError)


def test_ready_asks_the_model_and_not_the_clock(
    serve: Serve, encoder: WordEncoder, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_FRESH", -1.0)
    client = serve(ready_timeout=0.1)
    assert client.get("/health/ready").status_code == 200
    encoder.before = gate
    stalled = client.get("/health/ready")
    assert stalled.status_code == 503
    assert "not done within 100 ms" in stalled.json()["error"]["message"]
    assert client.get("/health/live").status_code == 200
    gate.open()
    wait_until_ready(client)


def test_a_health_answer_is_kept_for_a_moment(client: httpx.Client, encoder: WordEncoder) -> None:
    for _ in range(20):
        client.get("/health/ready")
    asked = [batch for batch in encoder.batches if batch == ["ready?"]]
    assert 1 <= len(asked) < 20


def test_a_lost_gpu_fails_the_call_open_and_ends_the_sidecar(
    client: httpx.Client, encoder: WordEncoder, fatal: list[RanksideError]
) -> None:
    def lost(_: object) -> None:
        raise ModelUnavailable("the GPU failed; restart the process", fatal=True)

    encoder.before = lost
    body = {"query": "q", "hits": [{"id": "1", "score": 1, "text": "t"}]}
    assert client.post("/v1/listwise", json=body).json()["reason"] == "encoder_unavailable"
    assert client.get("/health/ready").status_code == 503
    assert [str(error) for error in fatal] == ["the GPU failed; restart the process"]


def test_every_transition_is_one_sentence_in_the_log(
    encoder: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rankside.lifecycle")
    with serving(create_app(SidecarOptions(), encoder)):
        pass
    phases = [record.__dict__["fields"]["phase"] for record in caplog.records]
    assert phases == ["loading", "warming", "ready", "draining", "stopped"]
