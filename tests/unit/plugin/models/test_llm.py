"""The LLM client against a real HTTP server that speaks chat completions, failures on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from plugin.models.llm import OpenAILLM, load_llm
from plugin.models.options import LLMOptions
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.insertrank import ChatMessage
from tests.serving import serving

TURNS = [ChatMessage("system", "Rank."), ChatMessage("user", "[1] a\n[2] b")]


class Server:
    """Answers with ``scripted`` responses first, then with a permutation."""

    def __init__(self) -> None:
        self.scripted: list[Response] = []
        self.bodies: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.delay = 0.0
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self.chat)

    async def chat(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        await asyncio.sleep(self.delay)
        if self.scripted:
            return self.scripted.pop(0)
        return JSONResponse(
            {
                "choices": [{"message": {"role": "assistant", "content": "[2] > [1]"}}],
                "usage": {"prompt_tokens": 21, "completion_tokens": 7},
            }
        )


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with serving(server.app) as address:
        yield f"{address}/v1"


@pytest.fixture
async def llm(url: str) -> AsyncIterator[OpenAILLM]:
    client = OpenAILLM(LLMOptions(url=url, model="toy", api_key=SecretStr("s3cret")))
    yield client
    await client.close()


async def test_an_answer_and_its_cost(llm: OpenAILLM, server: Server) -> None:
    completion = await llm.complete(TURNS, timeout=10)

    assert (completion.text, completion.prompt_tokens, completion.completion_tokens) == (
        "[2] > [1]",
        21,
        7,
    )
    assert server.bodies[0]["model"] == "toy"
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "Rank."},
        {"role": "user", "content": "[1] a\n[2] b"},
    ]
    assert server.keys == ["Bearer s3cret"]


@pytest.mark.parametrize("status", [429, 503])
async def test_overload_is_tried_again(llm: OpenAILLM, server: Server, status: int) -> None:
    server.scripted = [Response(status_code=status, headers={"Retry-After": "0.01"})] * 2

    completion = await llm.complete(TURNS, timeout=10)

    assert completion.text == "[2] > [1]"
    assert len(server.bodies) == 3


async def test_lasting_overload_is_reported_with_the_wait(llm: OpenAILLM, server: Server) -> None:
    server.scripted = [Response(status_code=429, headers={"Retry-After": "0.02"})] * 3

    with pytest.raises(Overloaded) as refusal:
        await llm.complete(TURNS, timeout=10)

    assert refusal.value.retry_after == pytest.approx(0.02)


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_other_errors_are_not_tried_again(
    llm: OpenAILLM, server: Server, status: int
) -> None:
    server.scripted = [Response(status_code=status)]

    with pytest.raises(ModelUnavailable, match=f"HTTP {status}"):
        await llm.complete(TURNS, timeout=10)

    assert len(server.bodies) == 1


async def test_a_stalled_server_ends_at_the_deadline(llm: OpenAILLM, server: Server) -> None:
    server.delay = 5

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.1)


async def test_waiting_for_a_retry_counts_against_the_deadline(
    llm: OpenAILLM, server: Server
) -> None:
    server.scripted = [Response(status_code=429, headers={"Retry-After": "30"})]

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.2)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"[]"]
)
async def test_an_answer_of_another_shape(llm: OpenAILLM, server: Server, body: bytes) -> None:
    server.scripted = [Response(content=body, media_type="application/json")]

    with pytest.raises(ModelOutputError, match="not a chat completion"):
        await llm.complete(TURNS, timeout=10)


async def test_nobody_at_home() -> None:
    llm = OpenAILLM(LLMOptions(url="http://127.0.0.1:9/v1", model="toy"))

    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await llm.complete(TURNS, timeout=5)

    await llm.close()


def test_without_an_address_there_is_no_llm() -> None:
    assert load_llm(LLMOptions()) is None
