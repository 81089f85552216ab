from __future__ import annotations

import asyncio

import pytest

from plugin.models.chat.hedge import HedgedLLM
from plugin.models.llm import Completion
from plugin.ranking.errors import DeadlineExceeded, ModelUnavailable, Overloaded
from tests.unit.plugin.models.chat.scripted import TURNS, WHOLE, ScriptedLLM

OTHER = Completion("[1] > [2]", 21, 7)
CUT = Completion("[2]", 21, 2, cut=True)
DOWN = ModelUnavailable("down")


async def test_a_server_that_answers_is_not_helped() -> None:
    first, second = ScriptedLLM(WHOLE, name="first"), ScriptedLLM(OTHER)
    llm = HedgedLLM(first, second, after=60)
    assert await llm.complete(TURNS, timeout=60) == WHOLE
    assert (llm.name, second.asked) == ("first", 0)
    await llm.close()
    assert first.closed
    assert second.closed


async def test_a_slow_one_is_overtaken_and_its_call_ended() -> None:
    first, second = ScriptedLLM(WHOLE), ScriptedLLM(OTHER)
    first.open.clear()
    assert await HedgedLLM(first, second, after=0.01).complete(TURNS, timeout=60) == OTHER
    assert first.cancelled == 1


async def test_the_first_may_still_win() -> None:
    first, second = ScriptedLLM(WHOLE), ScriptedLLM(OTHER)
    first.open.clear()
    second.open.clear()
    asked = asyncio.create_task(HedgedLLM(first, second, after=0.01).complete(TURNS, timeout=60))
    await second.next_call()
    first.open.set()
    assert await asked == WHOLE
    assert second.cancelled == 1


@pytest.mark.parametrize("failure", [DOWN, Overloaded("busy", retry_after=9), CUT])
async def test_where_the_first_fails_the_second_is_asked_at_once(
    failure: Completion | Exception,
) -> None:
    llm = HedgedLLM(ScriptedLLM(failure), ScriptedLLM(OTHER), after=600)
    assert await llm.complete(TURNS, timeout=700) == OTHER


@pytest.mark.parametrize(("first", "second"), [(CUT, DOWN), (DOWN, CUT)])
async def test_an_answer_that_is_cut_is_better_than_none(
    first: Completion | Exception, second: Completion | Exception
) -> None:
    llm = HedgedLLM(ScriptedLLM(first), ScriptedLLM(second), after=60)
    assert await llm.complete(TURNS, timeout=60) == CUT


async def test_where_both_fail_the_first_ones_failure_is_told() -> None:
    busy = Overloaded("busy", retry_after=9)
    with pytest.raises(Overloaded):
        await HedgedLLM(ScriptedLLM(busy), ScriptedLLM(DOWN), after=60).complete(TURNS, timeout=60)


async def test_the_second_has_what_is_left_of_the_time() -> None:
    first, second = ScriptedLLM(WHOLE), ScriptedLLM(OTHER)
    first.open.clear()
    second.open.clear()
    with pytest.raises(DeadlineExceeded):
        await HedgedLLM(first, second, after=0.01).complete(TURNS, timeout=0.05)


async def test_who_goes_away_ends_both() -> None:
    first, second = ScriptedLLM(WHOLE), ScriptedLLM(OTHER)
    first.open.clear()
    second.open.clear()
    asked = asyncio.create_task(HedgedLLM(first, second, after=0.01).complete(TURNS, timeout=60))
    await second.next_call()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert (first.cancelled, second.cancelled) == (1, 1)
