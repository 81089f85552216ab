from __future__ import annotations

import asyncio

import pytest

from plugin.models.chat.budget import BudgetedLLM
from plugin.models.chat.options import BudgetOptions, PriceOptions
from plugin.models.llm import Completion
from plugin.ranking.errors import BudgetExhausted, DeadlineExceeded, ModelUnavailable
from tests.unit.plugin.models.chat.scripted import TURNS, WHOLE, Clock, ScriptedLLM

FREE = PriceOptions()
DAY = 86_400


async def spent(llm: BudgetedLLM, per: str) -> None:
    with pytest.raises(BudgetExhausted) as raised:
        await llm.complete(TURNS, timeout=5)
    assert raised.value.per == per


async def test_a_minutes_tokens_are_back_with_the_next() -> None:
    clock, server = Clock(60.0 * 1000), ScriptedLLM(WHOLE)  # 28 tokens each
    llm = BudgetedLLM(server, BudgetOptions(tokens_per_minute=70), FREE, clock)
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    clock.now += 59
    await spent(llm, "minute")
    assert server.asked == 2
    clock.now += 1
    assert await llm.complete(TURNS, timeout=5) == WHOLE
    await llm.close()
    assert server.closed


async def test_a_days_money_is_back_with_the_next() -> None:
    clock, server = Clock(DAY * 100.0), ScriptedLLM(Completion("[1]", 1000, 1000))
    price = PriceOptions(prompt=100, completion=300)
    llm = BudgetedLLM(server, BudgetOptions(cost_per_day=0.5), price, clock)
    await llm.complete(TURNS, timeout=5)  # 0.4
    await llm.complete(TURNS, timeout=5)  # 0.8: what an answer costs is known when it is there
    await spent(llm, "day")
    clock.now += DAY - 1
    await spent(llm, "day")
    clock.now += 1
    await llm.complete(TURNS, timeout=5)


async def test_calls_at_once_do_not_overrun_it_together() -> None:
    server = ScriptedLLM(WHOLE)
    server.open.clear()
    llm = BudgetedLLM(server, BudgetOptions(tokens_per_minute=70), FREE, Clock())
    calls = [asyncio.create_task(llm.complete(TURNS, timeout=60)) for _ in range(50)]
    await asyncio.sleep(0)
    asked = server.asked
    server.open.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert 0 < asked < 10
    assert sum(isinstance(one, Completion) for one in ended) == asked
    assert sum(isinstance(one, BudgetExhausted) for one in ended) == 50 - asked


async def test_a_call_that_ends_in_the_next_minute_is_counted_there() -> None:
    clock, server = Clock(60.0 * 1000 + 59), ScriptedLLM(WHOLE)
    server.open.clear()
    llm = BudgetedLLM(server, BudgetOptions(tokens_per_minute=60), FREE, clock)
    first = asyncio.create_task(llm.complete(TURNS, timeout=60))
    await asyncio.sleep(0)
    clock.now += 2
    server.open.set()
    await first  # 28 of this minute
    await llm.complete(TURNS, timeout=5)  # 56
    await spent(llm, "minute")


async def test_what_fails_at_the_server_costs_nothing_and_what_is_left_does() -> None:
    server = ScriptedLLM(ModelUnavailable("down"))
    llm = BudgetedLLM(server, BudgetOptions(tokens_per_minute=40), FREE, Clock())
    for _ in range(10):
        with pytest.raises(ModelUnavailable):
            await llm.complete(TURNS, timeout=5)
    server.answers = [DeadlineExceeded("late")]
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            await llm.complete(TURNS, timeout=5)
    await spent(llm, "minute")


async def test_without_a_budget_nothing_is_counted() -> None:
    llm = BudgetedLLM(ScriptedLLM(WHOLE), BudgetOptions(), FREE, Clock())
    for _ in range(100):
        assert await llm.complete(TURNS, timeout=5) == WHOLE
