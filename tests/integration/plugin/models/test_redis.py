"""Answers of an LLM that sidecars share, in a real Redis-compatible server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from evaluation.local_sidecar import free_port
from plugin.models.chat.options import CacheOptions
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.llm_prompt import ChatMessage
from tests.llm_server import LLMServer
from tests.redis_server import RunningRedis, installed, redis_server

TURNS = [ChatMessage("user", "[1] a\n[2] b")]
PROGRAM = installed()

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no redis-server or valkey-server on this machine; apt install one"
)


@pytest.fixture
def redis() -> Iterator[RunningRedis]:
    with redis_server(str(PROGRAM)) as server:
        yield server


@pytest.fixture
async def llms(url: str, redis: RunningRedis) -> AsyncIterator[list[LLM]]:
    """The LLM as two sidecars have it."""
    made = [sharing(url, redis.url) for _ in range(2)]
    yield made
    for llm in made:
        await llm.close()


def sharing(url: str, redis_url: str, ttl: float = 600) -> LLM:
    cache = CacheOptions(redis_url=SecretStr(redis_url), ttl=ttl)
    llm = load_llm(LLMOptions(url=url, cache=cache))
    assert llm is not None
    return llm


async def test_what_one_was_answered_the_other_need_not_ask(
    llms: list[LLM], server: LLMServer, redis: RunningRedis
) -> None:
    first = await llms[0].complete(TURNS, timeout=60)
    second = await llms[1].complete(TURNS, timeout=60)
    assert len(server.bodies) == 1
    assert not first.cached
    assert second == replace(first, prompt_tokens=0, completion_tokens=0, cached=True)
    (key,) = redis.keys()
    assert key.startswith("rankside:answer:")
    assert 0 < redis.milliseconds_left(key) <= 600_000
    assert "[2]" not in key


async def test_a_redis_that_dies_costs_answers_and_no_search(
    llms: list[LLM], server: LLMServer, redis: RunningRedis
) -> None:
    await llms[0].complete(TURNS, timeout=60)
    redis.kill()
    assert (await llms[0].complete(TURNS, timeout=60)).text == "[2] > [1]"
    assert len(server.bodies) == 2


async def test_a_redis_that_stalls_costs_answers_and_no_search(
    llms: list[LLM], server: LLMServer, redis: RunningRedis
) -> None:
    await llms[0].complete(TURNS, timeout=60)
    redis.stall()
    answers = await asyncio.gather(*(llm.complete(TURNS, timeout=60) for llm in llms))
    assert {answer.text for answer in answers} == {"[2] > [1]"}
    assert len(server.bodies) == 3


async def test_a_redis_that_is_not_there_is_no_reason_not_to_answer(
    url: str, server: LLMServer
) -> None:
    llm = sharing(url, f"redis://127.0.0.1:{free_port()}/0")
    assert (await llm.complete(TURNS, timeout=60)).text == "[2] > [1]"
    await llm.close()
    assert len(server.bodies) == 1
