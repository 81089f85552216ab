"""What Elasticsearch's inference services make of the sidecar's errors: try again, and say why.

What sends and reads is `tests.contract.inference_services`, after the engine's sources.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.contract.inference_services import Service
from tests.contract.test_inference_services import (
    EMBEDDING,
    RERANKING,
    Make,
    custom_embed,
    custom_rerank,
    meta_of,
    send,
)
from tests.doubles import Gate, WordEncoder
from tests.serving import serving

Ask = Callable[[Service, Sequence[str]], httpx.Request]


def embed(service: Service, texts: Sequence[str]) -> httpx.Request:
    return service.embedding(texts, "internal_ingest")


def rerank(service: Service, texts: Sequence[str]) -> httpx.Request:
    return service.reranking("the query", texts)


everything = pytest.mark.parametrize(
    ("make", "ask"),
    [
        *((make, embed) for make in EMBEDDING.values()),
        *((make, rerank) for make in RERANKING.values()),
    ],
    ids=[*(f"{name} embeds" for name in EMBEDDING), *(f"{name} reranks" for name in RERANKING)],
)


@everything
def test_too_much_at_once_is_tried_again(make: Make, ask: Ask) -> None:
    encoder, gate = WordEncoder(), Gate()
    with serving(create_app(SidecarOptions(queue_tokens=256), encoder)) as url:
        service = make(url, meta_of(encoder))
        assert send(ask(service, ["warm"])).is_success
        encoder.before = gate
        body = {"json": {"input": ["x"] * 128}, "timeout": 60}
        holder = threading.Thread(target=httpx.post, args=(f"{url}/v1/embeddings",), kwargs=body)
        holder.start()
        try:
            assert gate.arrived.wait(30)
            answer = send(ask(service, ["one text", "another"]))
        finally:
            gate.open()
            holder.join()
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["Retry-After"]) >= 1
    refusal = service.refusal(answer)
    assert refusal.again
    assert "try again later" in refusal.message


@everything
def test_a_key_that_is_not_the_sidecars(make: Make, ask: Ask, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("another-key\n", encoding="utf-8")
    encoder = WordEncoder()
    with serving(create_app(SidecarOptions(keys_file=keys), encoder)) as url:
        service = make(url, meta_of(encoder))
        answer = send(ask(service, ["one text"]))
    assert answer.status_code == 401
    refusal = service.refusal(answer)
    assert not refusal.again
    assert "not one of the keys" in refusal.message


@pytest.mark.parametrize(("make", "ask"), [(custom_embed, embed), (custom_rerank, rerank)])
def test_the_key_that_was_applied_lets_in(make: Make, ask: Ask, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key-of-the-sidecar\n", encoding="utf-8")
    encoder = WordEncoder()
    with serving(create_app(SidecarOptions(keys_file=keys), encoder)) as url:
        assert send(ask(make(url, meta_of(encoder)), ["one text"])).status_code == 200


@everything
def test_a_body_over_the_limit_is_named_with_its_limit(make: Make, ask: Ask) -> None:
    encoder = WordEncoder()
    with serving(create_app(SidecarOptions(max_body_bytes=2048), encoder)) as url:
        service = make(url, meta_of(encoder))
        answer = send(ask(service, ["a long text " * 400]))
    assert answer.status_code == 413
    assert "2048" in service.refusal(answer).message


def test_only_the_custom_service_notices_another_model() -> None:
    encoder = WordEncoder()
    other = meta_of(encoder).model_copy(update={"fingerprint": "0" * 16})
    with serving(create_app(SidecarOptions(), encoder)) as url:
        statuses = {
            name: send(make(url, other).embedding(["one text"], "internal_ingest")).status_code
            for name, make in EMBEDDING.items()
        }
        answer = send(custom_embed(url, other).embedding(["one text"], "internal_ingest"))
        refusal = custom_embed(url, other).refusal(answer)
    assert statuses == {"custom": 409, "openai": 200, "openai, packed": 200, "openshift_ai": 200}
    assert not refusal.again
    assert "model_mismatch" in refusal.message


@pytest.mark.parametrize("make", EMBEDDING.values(), ids=EMBEDDING)
def test_a_model_that_fails_gives_no_vector_and_a_sentence(make: Make) -> None:
    encoder = WordEncoder()

    def fail(_inputs: Sequence[EncoderInput]) -> None:
        raise ModelUnavailable("the model is gone")

    with serving(create_app(SidecarOptions(), encoder)) as url:
        service = make(url, meta_of(encoder))
        assert send(embed(service, ["warm"])).is_success
        encoder.before = fail
        answer = send(embed(service, ["one text"]))
    assert answer.status_code == 503
    assert "the model is gone" in service.refusal(answer).message
