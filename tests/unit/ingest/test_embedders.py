from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import httpx
import numpy as np
import pytest

from connectors.options import SidecarClientOptions
from ingest.embedders import InProcessEmbedder, SidecarEmbedder
from plugin.models.encoder import Encoder
from plugin.models.options import ModelOptions
from plugin.ranking.errors import (
    ModelMismatch,
    ModelOutputError,
    Overloaded,
    SettingsError,
    SidecarRejected,
    SidecarUnavailable,
)
from plugin.ranking.prompts import EncoderInput, document_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import PROFILE, Gate, WordEncoder
from tests.serving import serving

TEXTS = ["one fish", "two fish", "a much longer text about red and blue fish"]


class Switch:
    """One address, behind which the sidecar can be away, or another one."""

    def __init__(self, app: object) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        await self.app(scope, receive, send)  # type: ignore[operator]


async def away(scope: dict[str, object], _receive: object, send: object) -> None:
    if scope["type"] == "http":
        start = {"type": "http.response.start", "status": 503, "headers": []}
        await send(start)  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"away"})  # type: ignore[operator]


async def test_the_sidecar_s_vectors_are_the_encoder_s_document_vectors() -> None:
    encoder = WordEncoder()
    with serving(create_app(SidecarOptions(), encoder)) as url:
        embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=url), parallel=3)
        vectors = await embedder.embed(TEXTS)
        await embedder.close()

    expected = encoder.encode([document_input(PROFILE, text) for text in TEXTS]).vectors
    assert np.array_equal(vectors, expected)
    assert (embedder.fingerprint, embedder.model) == (PROFILE.fingerprint, "words")
    assert (embedder.revision, embedder.dimensions, embedder.parallel) == ("1", 16, 3)


async def test_in_process_vectors_are_the_default_model_s(minilm: Encoder) -> None:
    embedder = InProcessEmbedder(ModelOptions(name="all-minilm-l6-v2"))

    vectors = await embedder.embed(TEXTS)
    await embedder.close()

    expected = minilm.encode([document_input(minilm.profile, text) for text in TEXTS]).vectors
    assert np.allclose(vectors, expected, atol=1e-5)
    assert embedder.fingerprint == minilm.profile.fingerprint


async def test_an_encoder_of_this_process_is_closed_with_its_embedder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = WordEncoder()
    monkeypatch.setattr("ingest.embedders.load_encoder", lambda _: encoder)
    embedder = InProcessEmbedder(ModelOptions(name="all-minilm-l6-v2"))
    await embedder.embed(TEXTS)
    assert not encoder.closed
    await embedder.close()
    assert encoder.closed


def test_a_model_nobody_knows_is_refused_before_anything_is_read() -> None:
    with pytest.raises(SettingsError, match="not in the registry"):
        InProcessEmbedder(ModelOptions(name="no-such-model"))


async def test_an_overloaded_sidecar_says_when_to_come_back() -> None:
    encoder, gate = WordEncoder(), Gate()
    with serving(create_app(SidecarOptions(queue_tokens=256), encoder)) as url:
        embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=url))
        encoder.before = gate
        body = {"model": "words", "input": ["word " * 60] * 4}
        post = partial(httpx.post, f"{url}/v1/embeddings", json=body, timeout=60)
        busy = threading.Thread(target=post)
        busy.start()
        assert gate.arrived.wait(timeout=60)
        try:
            with pytest.raises(Overloaded) as caught:
                await embedder.embed(TEXTS)
        finally:
            gate.open()
            busy.join()
            await embedder.close()
    assert caught.value.retry_after > 0


async def test_no_sidecar_is_said_with_the_remedy() -> None:
    with pytest.raises(SidecarUnavailable, match="rankside serve"):
        await SidecarEmbedder.connect(SidecarClientOptions(url="http://127.0.0.1:9"))


async def test_a_sidecar_that_comes_back_with_another_model_is_refused() -> None:
    ours = create_app(SidecarOptions(), WordEncoder())
    other = create_app(SidecarOptions(), WordEncoder(replace(PROFILE, revision="2")))
    switch = Switch(ours)
    with serving(other) as other_url, serving(switch) as url:
        embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=url))
        await embedder.embed(TEXTS)
        switch.app = away
        with pytest.raises(SidecarRejected):
            await embedder.embed(TEXTS)
        switch.app = ours
        assert len(await embedder.embed(TEXTS)) == len(TEXTS)
        switch.app = away
        with pytest.raises(SidecarRejected):
            await embedder.embed(TEXTS)
        switch.app = _forward(other_url)
        with pytest.raises(ModelMismatch, match="no longer serves"):
            await embedder.embed(TEXTS)
        switch.app = ours
        await embedder.close()


@pytest.mark.parametrize("value", [0.0, float("nan")])
async def test_vectors_that_no_engine_takes_are_an_error_of_the_model(value: float) -> None:
    encoder = WordEncoder()

    def spoil(inputs: Sequence[EncoderInput]) -> None:
        if inputs[0].text in TEXTS:
            encoder.spoil = lambda vectors: np.full_like(vectors, value)

    encoder.before = spoil
    with serving(create_app(SidecarOptions(), encoder)) as url:
        embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=url))
        with pytest.raises((ModelOutputError, SidecarRejected)):
            await embedder.embed(TEXTS)
        await embedder.close()


def _forward(url: str) -> object:
    """An app that hands every call to the server at ``url``."""

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]  # type: ignore[operator]
        async with httpx.AsyncClient(base_url=url) as client:
            method, path = str(scope["method"]), str(scope["path"])
            headers = {"content-type": "application/json"}
            answer = await client.request(method, path, content=body, headers=headers)
        start = {"type": "http.response.start", "status": answer.status_code, "headers": []}
        await send(start)  # type: ignore[operator]
        await send({"type": "http.response.body", "body": answer.content})  # type: ignore[operator]

    return app
