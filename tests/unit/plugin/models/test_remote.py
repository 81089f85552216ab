"""The remote encoder against a real HTTP server, in good order and with every failure."""

from __future__ import annotations

import base64
import json
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.models import registry
from plugin.models.encoder import Encoder
from plugin.models.options import ModelOptions
from plugin.models.remote import RemoteEncoder
from plugin.models.tokenizer import load_tokenizer
from plugin.ranking.errors import ModelOutputError, ModelUnavailable, Overloaded
from plugin.ranking.profile import PLAIN, ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput, InputKind

Answer = tuple[int, dict[str, str], Any]
Responder = Callable[[dict[str, Any]], Answer]

PROFILE = ModelProfile(
    name="remote",
    location="owner/remote",
    dimensions=3,
    max_tokens=16,
    pooling=Pooling.MEAN,
    listwise=PLAIN,
)
TEXTS = [EncoderInput(InputKind.DOCUMENT, text) for text in ("one", "two", "three and four")]


class Server:
    """Answers as told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.respond: Responder = good
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def _handler(server: Server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append({"path": self.path, **body})
                server.headers.append(dict(self.headers))
                status, headers, answer = server.respond(body)
                raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler


def vector(text: str) -> list[float]:
    return [float(len(text)), 1.0, -2.0]


def to_base64(values: list[float]) -> str:
    return base64.b64encode(np.array(values, dtype="<f4").tobytes()).decode()


def answer(vectors: list[Any]) -> Answer:
    data = [
        {"object": "embedding", "index": place, "embedding": value}
        for place, value in enumerate(vectors)
    ]
    return 200, {}, {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1}}


def good(body: dict[str, Any]) -> Answer:
    return answer([to_base64(vector(text)) for text in body["input"]])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture
def encoder(server: Server) -> Iterator[RemoteEncoder]:
    made = RemoteEncoder(PROFILE, options(server, api_key="s3cret"))
    yield made
    made.close()


def options(server: Server, **values: Any) -> ModelOptions:
    return ModelOptions.model_validate({"name": "mine", "url": server.url, "timeout": 5, **values})


def test_vectors_come_back_in_order_as_unit_float32(encoder: RemoteEncoder) -> None:
    encoded = encoder.encode(TEXTS)

    expected = np.array([vector(input_.text) for input_ in TEXTS])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert encoded.vectors.dtype == np.float32
    assert np.abs(encoded.vectors - expected).max() < 1e-6
    assert encoded.truncated == (False, False, False)


def test_the_request_is_openais(server: Server, encoder: RemoteEncoder) -> None:
    encoder.encode(TEXTS[:1])

    assert server.requests == [
        {
            "path": "/v1/embeddings",
            "model": "owner/remote",
            "input": ["one"],
            "encoding_format": "base64",
        }
    ]
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_json_arrays_are_read_too(server: Server, encoder: RemoteEncoder) -> None:
    server.respond = lambda body: answer([vector(text) for text in body["input"]])

    assert encoder.encode(TEXTS).vectors.shape == (3, 3)


def test_an_answer_in_another_order_is_placed_by_its_index(
    server: Server, encoder: RemoteEncoder
) -> None:
    straight = encoder.encode(TEXTS).vectors

    def backwards(body: dict[str, Any]) -> Answer:
        status, headers, content = good(body)
        content["data"].reverse()
        return status, headers, content

    server.respond = backwards
    assert (encoder.encode(TEXTS).vectors == straight).all()


def test_requests_are_bounded_in_texts_and_tokens(server: Server) -> None:
    inputs = [EncoderInput(InputKind.DOCUMENT, f"text {number}") for number in range(10)]
    by_count = RemoteEncoder(PROFILE, options(server, batch_inputs=4))

    vectors = by_count.encode(inputs).vectors

    assert sorted(len(request["input"]) for request in server.requests) == [2, 4, 4]
    assert (vectors == RemoteEncoder(PROFILE, options(server)).encode(inputs).vectors).all()


def test_no_inputs_no_request(server: Server, encoder: RemoteEncoder) -> None:
    assert encoder.encode([]).vectors.shape == (0, 3)
    assert server.requests == []


def test_long_texts_are_cut_by_the_estimate_and_reported(
    server: Server, encoder: RemoteEncoder
) -> None:
    encoded = encoder.encode([EncoderInput(InputKind.DOCUMENT, "word " * 50)])

    assert server.requests[0]["input"] == ["word word word word word word word"]
    assert (encoded.truncated, encoded.tokens) == ((True,), (16,))


def test_with_the_models_tokenizer_texts_are_cut_exactly_and_the_end_token_follows(
    server: Server, qwen_folder: Path
) -> None:
    profile = replace(registry.get("e2rank-0.6b"), dimensions=3, max_tokens=12)
    tokenizer = load_tokenizer(qwen_folder)
    encoder = RemoteEncoder(profile, options(server), tokenizer=tokenizer)

    encoded = encoder.encode(
        [
            EncoderInput(InputKind.DOCUMENT, "Gravity is a force. " * 20),
            EncoderInput(InputKind.QUERY, "Gravity"),
            EncoderInput(InputKind.LISTWISE, "Gravity"),
        ]
    )

    sent = {text for request in server.requests for text in request["input"]}
    assert {"Gravity<|endoftext|>", "Gravity"} < sent
    long = next(text for text in sent if text.startswith("Gravity is"))
    assert long.endswith("<|endoftext|>")
    assert tokenizer.count(long) == 12
    assert encoded.tokens[0] == 12
    assert encoded.truncated == (True, False, False)


def test_a_real_model_behind_the_server_gives_the_vectors_of_the_one_in_process(
    server: Server, minilm: Encoder
) -> None:
    def embed(body: dict[str, Any]) -> Answer:
        inputs = [EncoderInput(InputKind.DOCUMENT, text) for text in body["input"]]
        return answer([to_base64(row.tolist()) for row in minilm.encode(inputs).vectors])

    server.respond = embed
    remote = RemoteEncoder(minilm.profile, options(server), tokenizer=minilm.tokenizer)
    inputs = [*TEXTS, EncoderInput(InputKind.DOCUMENT, "alpha beta " * 400)]

    here, there = minilm.encode(inputs), remote.encode(inputs)

    assert np.abs(here.vectors - there.vectors).max() <= 1e-5
    assert here.tokens == there.tokens
    assert here.truncated == there.truncated


def test_overload_is_waited_out_as_long_as_the_server_asks(
    server: Server, encoder: RemoteEncoder
) -> None:
    refusals: Iterator[Answer | None] = cycle(
        [(429, {"Retry-After": "0.01"}, {}), (503, {"Retry-After": "0"}, {}), None]
    )
    server.respond = lambda body: next(refusals) or good(body)

    assert encoder.encode(TEXTS).vectors.shape == (3, 3)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "headers", "retry_after"),
    [(429, {}, 1.0), (503, {"Retry-After": "60"}, 60.0), (429, {"Retry-After": "soon"}, 1.0)],
)
def test_overload_without_an_end_in_sight_is_passed_on_at_once(
    server: Server,
    encoder: RemoteEncoder,
    status: int,
    headers: dict[str, str],
    retry_after: float,
) -> None:
    server.respond = lambda _: (status, headers, {})

    with pytest.raises(Overloaded) as caught:
        encoder.encode(TEXTS)
    assert caught.value.retry_after == retry_after
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500, 502])
def test_other_errors_are_not_retried_and_never_show_the_key(
    server: Server, encoder: RemoteEncoder, status: int
) -> None:
    server.respond = lambda _: (status, {"Retry-After": "0"}, {"error": "no"})

    with pytest.raises(ModelUnavailable, match=str(status)) as caught:
        encoder.encode(TEXTS)
    assert "s3cret" not in str(caught.value)
    assert len(server.requests) == 1


def test_silence_ends_with_the_timeout(server: Server) -> None:
    hush = threading.Event()
    server.respond = lambda body: (hush.wait(5), good(body))[1]
    encoder = RemoteEncoder(PROFILE, options(server, timeout=0.1))

    with pytest.raises(ModelUnavailable, match=r"no answer in 0\.1 s"):
        encoder.encode(TEXTS)
    hush.set()


def test_nobody_there_is_an_error_with_the_address() -> None:
    gone = ModelOptions.model_validate({"name": "mine", "url": "http://127.0.0.1:9/v1"})

    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9.*model\.url"):
        RemoteEncoder(PROFILE, gone).encode(TEXTS)


def one(value: Any) -> Responder:
    return lambda body: answer([value, *[vector(text) for text in body["input"][1:]]])


@pytest.mark.parametrize(
    "respond",
    [
        lambda body: answer([vector(text) for text in body["input"][1:]]),
        lambda body: answer([vector(text) for text in [*body["input"], "more"]]),
        lambda _: (200, {}, {"data": [{"index": 0, "embedding": [1, 2, 3]}] * 3}),
        lambda _: (200, {}, {"data": "none"}),
        lambda _: (200, {}, {"embeddings": []}),
        lambda _: (200, {}, []),
        lambda _: (200, {}, b"<html>"),
        lambda _: (200, {}, b"\xff\xfe"),
        one([1.0, 2.0]),
        one([math.nan, 1.0, 1.0]),
        one([0.0, 0.0, 0.0]),
        one("not base64"),
        one(["a", "b", "c"]),
        one(None),
        one(7),
    ],
)
def test_an_unusable_answer_is_an_error(
    server: Server, encoder: RemoteEncoder, respond: Responder
) -> None:
    server.respond = respond

    with pytest.raises(ModelOutputError):
        encoder.encode(TEXTS)
