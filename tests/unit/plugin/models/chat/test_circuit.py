from __future__ import annotations

import asyncio

import pytest

from plugin.models.chat.circuit import GuardedLLM
from plugin.models.chat.options import CircuitOptions
from plugin.ranking.errors import (
    CircuitOpen,
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RanksideError,
)
from tests.unit.plugin.models.chat.scripted import TURNS, WHOLE, Clock, ScriptedLLM

OPTIONS = CircuitOptions(failures=2, open_for=10)


async def fails(llm: GuardedLLM, error: type[RanksideError]) -> None:
    with pytest.raises(error) as raised:
        await llm.complete(TURNS, timeout=5)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "failure", [ModelUnavailable("down"), ModelOutputError("odd"), DeadlineExceeded("late")]
)
async def test_failures_in_a_row_open_it_and_one_call_tries_later(failure: RanksideError) -> None:
    clock, server = Clock(), ScriptedLLM(failure)
    llm = GuardedLLM(server, OPTIONS, clock)
    await fails(llm, type(failure))
    await fails(llm, type(failure))
    await fails(llm, CircuitOpen)
    assert server.asked == 2

    clock.now += 10
    await fails(llm, type(failure))  # the one that tries
    await fails(llm, CircuitOpen)
    assert server.asked == 3

    clock.now += 10
    server.answers = [WHOLE]
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    await llm.close()
    assert server.closed


async def test_while_one_call_tries_the_others_do_not() -> None:
    clock, server = Clock(), ScriptedLLM(ModelUnavailable("down"))
    llm = GuardedLLM(server, OPTIONS, clock)
    for _ in range(2):
        await fails(llm, ModelUnavailable)
    clock.now += 10
    server.answers = [WHOLE]
    server.open.clear()
    trying = asyncio.create_task(llm.complete(TURNS, timeout=60))
    await asyncio.sleep(0)
    await fails(llm, CircuitOpen)
    server.open.set()
    assert await trying == WHOLE
    assert not llm.circuit.open


async def test_a_try_whose_caller_goes_away_leaves_it_to_the_next() -> None:
    clock, server = Clock(), ScriptedLLM(ModelUnavailable("down"))
    llm = GuardedLLM(server, OPTIONS, clock)
    for _ in range(2):
        await fails(llm, ModelUnavailable)
    clock.now += 10
    server.answers = [WHOLE]
    server.open.clear()
    trying = asyncio.create_task(llm.complete(TURNS, timeout=60))
    await asyncio.sleep(0)
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    server.open.set()
    assert await llm.complete(TURNS, timeout=5) == WHOLE


async def test_a_success_between_failures_keeps_it_closed() -> None:
    down = ModelUnavailable("down")
    server = ScriptedLLM(down, WHOLE, down, WHOLE)
    llm = GuardedLLM(server, OPTIONS, Clock())
    for _ in range(2):
        await fails(llm, ModelUnavailable)
        assert await llm.complete(TURNS, timeout=5) == WHOLE


async def test_overload_is_no_failure() -> None:
    server = ScriptedLLM(Overloaded("busy", retry_after=1))
    llm = GuardedLLM(server, OPTIONS, Clock())
    for _ in range(5):
        await fails(llm, Overloaded)
    assert server.asked == 5
