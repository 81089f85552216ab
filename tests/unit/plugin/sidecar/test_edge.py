from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from plugin.sidecar.ranker import Ranker
from tests.doubles import Gate, Serve, WordEncoder

HITS = [{"id": "1", "score": 1.0, "text": "a"}]
BODY = {"query": "q", "hits": HITS}


def test_a_sound_request_id_is_kept_and_others_are_replaced(client: httpx.Client) -> None:
    kept = client.get("/health/live", headers={"X-Request-Id": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    for bad in ("", "two words", "x" * 129):
        made = client.get("/health/live", headers={"X-Request-Id": bad})
        assert len(made.headers["x-request-id"]) == 32


def test_errors_carry_the_request_id_in_the_one_shape(client: httpx.Client) -> None:
    headers = {"X-Request-Id": "mine"}
    answers = [
        client.get("/absent", headers=headers),
        client.get("/v1/rank", headers=headers),
        client.post("/v1/rank", headers=headers, json={}),
        client.post("/v1/rank", headers=headers, json={"query": " ", "hits": HITS}),
        client.post("/v1/rank", headers=headers, content=b"{", timeout=5),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 422, 422, 422]
    for answer in answers:
        error = answer.json()["error"]
        assert set(error) == {"type", "message", "code", "request_id"}
        assert error["code"] == answer.status_code
        assert error["request_id"] == answer.headers["x-request-id"] == "mine"


def test_what_was_sent_is_not_sent_back(client: httpx.Client) -> None:
    secret = "do-not-echo"
    answer = client.post("/v1/rank", json={"query": [secret], "hits": secret})
    assert answer.status_code == 422
    assert secret not in answer.text


@pytest.mark.parametrize("content", [b'{"query": "\xff"}', b"{", b"\x1f\x8b\x08 a gzip's head"])
def test_a_body_that_cannot_be_read_is_refused_with_a_remedy(
    client: httpx.Client, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/rank", content=content, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (422, 422, "request_error")
    assert "JSON" in error["message"]


def test_a_path_with_a_slash_too_many_is_not_redirected(client: httpx.Client) -> None:
    answer = client.post("/v1/rank/", json=BODY)
    assert answer.status_code == 404
    assert "/openapi.json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("escaped", ["\\ud800", "\\u0000", "\\udfff"])
def test_text_that_is_no_text_is_an_error_not_a_defect(client: httpx.Client, escaped: str) -> None:
    content = f'{{"query": "{escaped}", "hits": [], "{escaped}": 1}}'.encode()
    headers = {"content-type": "application/json"}
    assert client.post("/v1/rank", content=content, headers=headers).status_code == 422


def test_a_defect_is_one_line_in_the_log_and_no_detail_in_the_answer(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("inner detail")

    monkeypatch.setattr(Ranker, "rank", broken)
    answer = client.post("/v1/rank", json=BODY, headers={"X-Request-Id": "mine"})
    assert answer.status_code == 500
    assert "inner detail" not in answer.text
    assert answer.json()["error"]["request_id"] == "mine"
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.exc_info is not None
    assert client.post("/v1/listwise", json=BODY).status_code == 200


def test_a_body_over_the_limit_is_refused_by_its_stated_length(serve: Serve) -> None:
    client = serve(max_body_bytes=1024)
    answer = client.post("/v1/embeddings", json={"input": "x" * 2000})
    assert answer.status_code == 413
    assert "1024 bytes" in answer.json()["error"]["message"]
    assert client.post("/v1/embeddings", json={"input": "x" * 900}).status_code == 200


def test_a_body_over_the_limit_is_refused_while_it_arrives(serve: Serve) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"input": "'
        for _ in range(20):
            yield b"x" * 100
        yield b'"}'

    client = serve(max_body_bytes=1024)
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/embeddings", content=chunks(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


def test_a_client_that_goes_away_leaves_the_queue(
    client: httpx.Client, encoder: WordEncoder, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rankside.access")
    encoder.before = gate
    address = urlsplit(str(client.base_url))
    body = b'{"input": "%s"}'

    def send(text: bytes) -> socket.socket:
        made = socket.create_connection((address.hostname, address.port))
        content = body % text
        made.sendall(
            b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(content), content)
        )
        return made

    first = send(b"first")
    assert gate.arrived.wait(30)
    second = send(b"second")
    while "rankside_queue_tokens 6.0" not in client.get("/metrics").text:
        time.sleep(0.01)
    second.close()
    while not any("499" in record.getMessage() for record in caplog.records):
        time.sleep(0.01)
    gate.open()
    assert first.recv(20).startswith(b"HTTP/1.1 200")
    first.close()
    assert client.post("/v1/embeddings", json={"input": "third"}).is_success
    assert [batch for batch in encoder.batches if "second" in batch] == []
    assert ["third"] in encoder.batches


def test_one_access_line_a_request_with_what_became_of_it(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rankside.access")
    client.post("/v1/rank", json=BODY, headers={"X-Request-Id": "mine"})
    client.get("/health/live")
    lines = [record for record in caplog.records if record.name == "rankside.access"]
    assert len(lines) == 1
    fields = lines[0].__dict__["fields"]
    assert fields["request_id"] == "mine"
    assert (fields["http_status"], fields["path"]) == (200, "/v1/rank")
    assert (fields["strategy"], fields["status"], fields["reason"]) == ("e2rank", "reranked", None)
    assert fields["timings_ms"]["total"] > 0
    assert fields["usage"]["prompt_tokens"] > 0


async def test_many_calls_at_once_are_answered_as_if_alone(client: httpx.Client) -> None:
    async with httpx.AsyncClient(base_url=client.base_url, timeout=30) as many:
        bodies = [{"input": [f"call {n} text {m}" for m in range(n % 5 + 1)]} for n in range(40)]
        answers = await asyncio.gather(*(many.post("/v1/embeddings", json=b) for b in bodies))
        for body, answer in zip(bodies, answers, strict=True):
            alone = await many.post("/v1/embeddings", json=body)
            assert answer.json()["data"] == alone.json()["data"]
