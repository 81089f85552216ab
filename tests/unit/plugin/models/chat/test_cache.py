from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from plugin.models.chat.cache import CachedLLM
from plugin.models.chat.options import CacheOptions
from plugin.models.chat.store import MemoryStore
from plugin.models.llm import Completion
from plugin.ranking.errors import DeadlineExceeded, ModelUnavailable
from plugin.ranking.llm_prompt import ChatMessage
from tests.unit.plugin.models.chat.scripted import TURNS, WHOLE, Clock, ScriptedLLM

KEPT = replace(WHOLE, prompt_tokens=0, completion_tokens=0, cached=True)
CUT = Completion("[2]", 21, 2, cut=True)


def cached(server: ScriptedLLM, settings: str = "a", store: MemoryStore | None = None) -> CachedLLM:
    return CachedLLM(server, store or MemoryStore(CacheOptions()), settings)


async def test_the_same_prompt_is_asked_once_and_costs_once() -> None:
    server = ScriptedLLM(WHOLE)
    llm = cached(server)
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    assert await llm.complete(TURNS, timeout=5) == KEPT
    assert server.asked == 1
    await llm.close()
    assert server.closed


async def test_probabilities_are_kept_too() -> None:
    told = replace(WHOLE, first_token=(("B", -0.1), ("A", -2.0)))
    llm = cached(ScriptedLLM(told))
    assert [(await llm.complete(TURNS, timeout=5)).first_token for _ in range(2)] == [
        told.first_token,
        told.first_token,
    ]


async def test_another_prompt_or_other_settings_are_asked() -> None:
    server, store = ScriptedLLM(WHOLE), MemoryStore(CacheOptions())
    others = [*TURNS[:1], ChatMessage("user", "[1] a\n[2] c")]
    for settings, turns in (("a", TURNS), ("a", others), ("b", TURNS)):
        assert await cached(server, settings, store).complete(turns, timeout=5) == WHOLE
    assert server.asked == 3


async def test_an_answer_is_kept_for_its_time() -> None:
    clock, server = Clock(), ScriptedLLM(WHOLE)
    llm = cached(server, store=MemoryStore(CacheOptions(ttl=10), clock))
    await llm.complete(TURNS, timeout=5)
    clock.now += 9
    assert (await llm.complete(TURNS, timeout=5)).cached
    clock.now += 2
    assert not (await llm.complete(TURNS, timeout=5)).cached


async def test_what_does_not_fit_is_not_kept() -> None:
    server = ScriptedLLM(replace(WHOLE, text="x" * 5000))
    llm = cached(server, store=MemoryStore(CacheOptions(bytes=4096)))
    await llm.complete(TURNS, timeout=5)
    await llm.complete(TURNS, timeout=5)
    assert server.asked == 2


@pytest.mark.parametrize("answer", [CUT, ModelUnavailable("down")])
async def test_only_whole_answers_are_kept(answer: Completion | Exception) -> None:
    server = ScriptedLLM(answer, WHOLE)
    llm = cached(server)
    if isinstance(answer, Exception):
        with pytest.raises(ModelUnavailable):
            await llm.complete(TURNS, timeout=5)
    else:
        assert await llm.complete(TURNS, timeout=5) == CUT
    assert await llm.complete(TURNS, timeout=5) == WHOLE


async def test_a_crowd_that_asks_the_same_makes_one_call() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = cached(server)
    calls = [asyncio.create_task(llm.complete(TURNS, timeout=60)) for _ in range(100)]
    await server.next_call()
    server.open.set()
    answers = await asyncio.gather(*calls)
    assert server.asked == 1
    assert sorted(answers, key=lambda one: one.cached) == [WHOLE] + [KEPT] * 99


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = cached(server)
    first, second = (asyncio.create_task(llm.complete(TURNS, timeout=60)) for _ in range(2))
    await server.next_call()
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    server.open.set()
    assert await second == KEPT
    assert (server.asked, server.cancelled) == (1, 0)


async def test_when_all_have_gone_the_call_is_ended() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = cached(server)
    calls = [asyncio.create_task(llm.complete(TURNS, timeout=60)) for _ in range(3)]
    await server.next_call()
    await asyncio.sleep(0.01)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    assert server.cancelled == 1
    server.open.set()
    assert await llm.complete(TURNS, timeout=5) == WHOLE


async def test_who_has_more_time_than_the_first_asks_anew() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = cached(server)
    hasty = asyncio.create_task(llm.complete(TURNS, timeout=0.2))
    await server.next_call()
    patient = asyncio.create_task(llm.complete(TURNS, timeout=60))
    with pytest.raises(DeadlineExceeded):
        await hasty
    await server.next_call()
    server.open.set()
    assert (await patient).text == WHOLE.text


async def test_who_has_less_time_than_the_first_leaves() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = cached(server)
    patient = asyncio.create_task(llm.complete(TURNS, timeout=60))
    await server.next_call()
    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.05)
    server.open.set()
    assert await patient == WHOLE


async def test_what_another_release_kept_is_asked_anew() -> None:
    server, store = ScriptedLLM(WHOLE), MemoryStore(CacheOptions())
    llm = cached(server, store=store)
    await llm.complete(TURNS, timeout=5)
    (key,) = store._kept  # as if it had been written by another release
    for value in (b'{"answer": "[1]"}', b"\xff", b"[]"):
        await store.put(key, value)
        assert await llm.complete(TURNS, timeout=5) == WHOLE
