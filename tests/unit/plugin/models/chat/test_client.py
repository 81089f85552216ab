"""The LLM client against a real HTTP server that speaks chat completions, failures on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import tokenizers
from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from transformers import PreTrainedTokenizerFast

from plugin.models.chat.client import OpenAILLM
from plugin.models.llm import Completion
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.llm_prompt import ChatMessage, Decoding
from tests.llm_server import LLMServer, Streamed

TURNS = [ChatMessage("system", "Rank."), ChatMessage("user", "[1] a\n[2] b")]


@pytest.fixture
async def llm(url: str) -> AsyncIterator[OpenAILLM]:
    client = OpenAILLM(LLMOptions(url=url, model="toy", api_key=SecretStr("s3cret")))
    yield client
    await client.close()


async def test_an_answer_and_its_cost(llm: OpenAILLM, server: LLMServer) -> None:
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


@pytest.mark.parametrize(("finish", "cut"), [("length", True), ("stop", False), (None, False)])
async def test_an_answer_that_a_limit_ended_says_so(
    llm: OpenAILLM, server: LLMServer, finish: str | None, cut: bool
) -> None:
    choice = {"message": {"content": "[2] >"}, "finish_reason": finish}
    server.scripted = [JSONResponse({"choices": [choice]})]

    completion = await llm.complete(TURNS, timeout=10)

    assert (completion.text, completion.cut) == ("[2] >", cut)


def test_its_tokenizer_is_read_where_the_settings_name_one(tmp_path: Path) -> None:
    folder = small_tokenizer(tmp_path)

    known = OpenAILLM(LLMOptions(url="http://127.0.0.1:9/v1", tokenizer=folder)).tokenizer
    unknown = OpenAILLM(LLMOptions(url="http://127.0.0.1:9/v1")).tokenizer

    assert known is not None
    assert (known.count("two words"), known.truncate("two words", 1)) == (2, "two")
    assert unknown is None


def test_a_tokenizer_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"llm\.tokenizer"):
        OpenAILLM(LLMOptions(url="http://127.0.0.1:9/v1", tokenizer=tmp_path))


def small_tokenizer(folder: Path) -> Path:
    """A tokenizer whose tokens are words."""
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "two": 1, "words": 2}, unk_token="[UNK]")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("status", [429, 503])
async def test_overload_is_tried_again(llm: OpenAILLM, server: LLMServer, status: int) -> None:
    server.scripted = [Response(status_code=status, headers={"Retry-After": "0.01"})] * 2

    completion = await llm.complete(TURNS, timeout=10)

    assert completion.text == "[2] > [1]"
    assert len(server.bodies) == 3


async def test_lasting_overload_is_reported_with_the_wait(
    llm: OpenAILLM, server: LLMServer
) -> None:
    server.scripted = [Response(status_code=429, headers={"Retry-After": "0.02"})] * 3

    with pytest.raises(Overloaded) as refusal:
        await llm.complete(TURNS, timeout=10)

    assert refusal.value.retry_after == pytest.approx(0.02)


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_other_errors_are_not_tried_again(
    llm: OpenAILLM, server: LLMServer, status: int
) -> None:
    server.scripted = [Response(status_code=status)]

    with pytest.raises(ModelUnavailable, match=f"HTTP {status}"):
        await llm.complete(TURNS, timeout=10)

    assert len(server.bodies) == 1


async def test_a_stalled_server_ends_at_the_deadline(llm: OpenAILLM, server: LLMServer) -> None:
    server.delay = 5

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.1)


@pytest.mark.parametrize("headers", [{"Retry-After": "30"}, {}], ids=["too long", "not said"])
async def test_a_wait_that_does_not_fit_is_not_begun(
    llm: OpenAILLM, server: LLMServer, headers: dict[str, str]
) -> None:
    server.scripted = [Response(status_code=429, headers=headers)]

    with pytest.raises(Overloaded):
        await llm.complete(TURNS, timeout=20)

    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"[]"]
)
async def test_an_answer_of_another_shape(llm: OpenAILLM, server: LLMServer, body: bytes) -> None:
    server.scripted = [Response(content=body, media_type="application/json")]

    with pytest.raises(ModelOutputError, match="not a chat completion"):
        await llm.complete(TURNS, timeout=10)


async def test_nobody_at_home() -> None:
    llm = OpenAILLM(LLMOptions(url="http://127.0.0.1:9/v1", model="toy"))

    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await llm.complete(TURNS, timeout=5)

    await llm.close()


async def test_an_answer_is_read_as_it_is_made(llm: OpenAILLM, server: LLMServer) -> None:
    server.scripted = [Streamed(["[2]", " > ", "[1]"])]

    completion = await llm.complete(TURNS, timeout=10)

    assert completion == Completion("[2] > [1]", 21, 7)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


async def test_what_has_come_at_the_deadline_is_used(llm: OpenAILLM, server: LLMServer) -> None:
    server.scripted = [Streamed(["[2]", " > "], stalls=True)]

    completion = await llm.complete(TURNS, timeout=2)

    assert (completion.text, completion.cut) == ("[2] > ", True)
    assert (completion.estimated, completion.completion_tokens) == (True, 2)
    assert completion.prompt_tokens > 0
    await until(lambda: server.left == 1)  # it is told that nobody reads any more


@pytest.mark.parametrize(
    "streamed",
    [
        Streamed(["[2] > "], drops=True),
        Streamed(["[2] > "], reason="length"),
        Streamed(["[2] > "], reason=None, done=False),
        Streamed(["[2] > ", b'data: {"error": {"message": "out of memory"}}\n\n']),
        Streamed(["[2] > ", b"data: <html>\n\n"]),
    ],
    ids=["connection lost", "limit of tokens", "no end", "error", "garbage"],
)
async def test_an_answer_that_breaks_off_is_cut(
    llm: OpenAILLM, server: LLMServer, streamed: Streamed
) -> None:
    server.scripted = [streamed]

    completion = await llm.complete(TURNS, timeout=10)

    assert (completion.text, completion.cut) == ("[2] > ", True)


async def test_a_stream_may_end_without_its_last_word(llm: OpenAILLM, server: LLMServer) -> None:
    server.scripted = [Streamed(["[2]"], done=False)]

    assert not (await llm.complete(TURNS, timeout=10)).cut


@pytest.mark.parametrize(
    ("streamed", "error", "message"),
    [
        (Streamed([], drops=True), ModelUnavailable, "cannot be reached"),
        (Streamed([], reason=None, usage=None, done=False), ModelUnavailable, "before it answered"),
        (Streamed([b"data: <html>\n\n"]), ModelOutputError, "not a chat completion"),
        (Streamed([b"data: [1, 2]\n\n"]), ModelOutputError, "not a chat completion"),
        (
            Streamed([b"\xff\xfe\n\n"], reason=None, usage=None, done=False),
            ModelUnavailable,
            "answered",
        ),
        (Streamed([{"content": [1]}]), ModelOutputError, "no text"),
        (Streamed([b'data: {"error": "cuda"}\n\n']), ModelUnavailable, "cuda"),
    ],
)
async def test_a_stream_that_says_nothing_is_an_error(
    llm: OpenAILLM, server: LLMServer, streamed: Streamed, error: type[Exception], message: str
) -> None:
    server.scripted = [streamed]

    with pytest.raises(error, match=message):
        await llm.complete(TURNS, timeout=10)


async def test_an_answer_without_end_is_given_up(
    llm: OpenAILLM, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.models.chat.client._LONGEST", 10_000)
    server.scripted = [Streamed([b": " + b"x" * 20_000 + b"\n\n"], stalls=True)]

    with pytest.raises(ModelOutputError, match="not a chat completion"):
        await llm.complete(TURNS, timeout=30)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_of_its_own_field_is_left_out(
    llm: OpenAILLM, server: LLMServer, field: str
) -> None:
    server.scripted = [Streamed([{field: "the first says [1]"}, "[2] > [1]"], usage=None)]

    completion = await llm.complete(TURNS, timeout=10)

    assert (completion.text, completion.completion_tokens) == ("[2] > [1]", 2)


async def test_what_is_sent_beside_the_turns_is_a_setting(url: str, server: LLMServer) -> None:
    options = LLMOptions(
        url=url, stream=False, reasoning_effort="low", extra_body={"top_k": 1, "seed": 7}
    )
    llm = OpenAILLM(options)

    assert await llm.complete(TURNS, timeout=10) == Completion("[2] > [1]", 21, 7)

    await llm.close()
    body = server.bodies[0]
    assert "stream" not in body
    assert (body["reasoning_effort"], body["top_k"], body["seed"]) == ("low", 1, 7)


async def test_no_more_calls_are_under_way_than_allowed(url: str, server: LLMServer) -> None:
    server.delay = 0.05
    llm = OpenAILLM(LLMOptions(url=url, max_concurrent=2))

    answers = await asyncio.gather(*(llm.complete(TURNS, timeout=30) for _ in range(6)))

    await llm.close()
    assert {answer.text for answer in answers} == {"[2] > [1]"}
    assert server.most_under_way == 2


async def test_waiting_for_a_turn_counts_against_the_deadline(url: str, server: LLMServer) -> None:
    server.scripted = [Streamed([], stalls=True)]
    llm = OpenAILLM(LLMOptions(url=url, max_concurrent=1))
    first = asyncio.create_task(llm.complete(TURNS, timeout=60))
    await until(lambda: server.bodies)

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.1)

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await llm.complete(TURNS, timeout=30)).cut is False  # the turn came back
    await llm.close()


async def until(done: Callable[[], object]) -> None:
    """Wait for something another thread does."""
    for _ in range(3000):
        if done():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen within 30 s")


def one_token(logprobs: object) -> JSONResponse:
    choice = {"message": {"content": "B"}, "finish_reason": "length", "logprobs": logprobs}
    return JSONResponse({"choices": [choice]})


async def test_the_first_tokens_probabilities_are_asked_for_and_read(
    url: str, server: LLMServer
) -> None:
    told = [{"token": "B", "logprob": -0.1}, {"token": " A", "logprob": -2}]
    server.scripted = [one_token({"content": [{"token": "B", "top_logprobs": told}]})]
    llm = OpenAILLM(LLMOptions(url=url, decoding=Decoding.FIRST_TOKEN, top_logprobs=5))

    completion = await llm.complete(TURNS, timeout=10)

    await llm.close()
    assert completion.first_token == (("B", -0.1), (" A", -2.0))
    assert not completion.cut
    body = server.bodies[0]
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 5)
    assert "stream" not in body


@pytest.mark.parametrize("logprobs", [None, {}, {"content": []}, {"content": [{"token": "B"}]}])
async def test_a_server_without_probabilities_is_told_so(
    url: str, server: LLMServer, logprobs: object
) -> None:
    server.scripted = [one_token(logprobs)]
    llm = OpenAILLM(LLMOptions(url=url, decoding=Decoding.FIRST_TOKEN))

    with pytest.raises(ModelOutputError, match="DECODING=permutation"):
        await llm.complete(TURNS, timeout=10)

    await llm.close()
