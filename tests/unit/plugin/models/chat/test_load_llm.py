from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from plugin.models.chat.options import BudgetOptions, CacheOptions, HedgeOptions
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.errors import BudgetExhausted, CircuitOpen, ModelUnavailable, SettingsError
from tests.llm_server import LLMServer
from tests.unit.plugin.models.chat.scripted import TURNS

NOBODY = "http://127.0.0.1:9/v1"


def test_without_an_address_there_is_no_llm() -> None:
    assert load_llm(LLMOptions()) is None


async def test_answers_are_kept_by_default(url: str, server: LLMServer) -> None:
    llm = load_llm(LLMOptions(url=url, model="toy"))
    assert llm is not None
    assert llm.name == "toy"
    answers = [await llm.complete(TURNS, timeout=30) for _ in range(3)]
    await llm.close()
    assert [one.cached for one in answers] == [False, True, True]
    assert len(server.bodies) == 1


async def test_a_server_that_is_away_is_left_alone() -> None:
    llm = load_llm(LLMOptions(url=NOBODY))
    assert llm is not None
    for _ in range(5):
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await llm.complete(TURNS, timeout=5)
    with pytest.raises(CircuitOpen):
        await llm.complete(TURNS, timeout=5)
    await llm.close()


async def test_a_second_server_has_its_own_name_and_key(url: str, server: LLMServer) -> None:
    hedge = HedgeOptions(url=url, model="other", api_key=SecretStr("theirs"))
    llm = load_llm(LLMOptions(url=NOBODY, model="toy", api_key=SecretStr("ours"), hedge=hedge))
    assert llm is not None
    assert (await llm.complete(TURNS, timeout=30)).text == "[2] > [1]"
    await llm.close()
    assert server.keys == ["Bearer theirs"]
    assert server.bodies[0]["model"] == "other"


async def test_a_budget_is_kept_and_kept_answers_are_not_of_it(url: str, server: LLMServer) -> None:
    llm = load_llm(LLMOptions(url=url, budget=BudgetOptions(tokens_per_day=30)))
    assert llm is not None
    for _ in range(3):
        await llm.complete(TURNS, timeout=30)
    with pytest.raises(BudgetExhausted):
        await llm.complete(TURNS[1:], timeout=30)
    await llm.close()
    assert len(server.bodies) == 1


async def test_the_cache_may_be_off(url: str, server: LLMServer) -> None:
    llm = load_llm(LLMOptions(url=url, cache=CacheOptions(bytes=0)))
    assert llm is not None
    for _ in range(2):
        await llm.complete(TURNS, timeout=30)
    await llm.close()
    assert len(server.bodies) == 2


def test_a_redis_that_is_no_address_is_told_so() -> None:
    cache = CacheOptions(redis_url=SecretStr("localhost:6379"))
    with pytest.raises(SettingsError, match=r"llm\.cache\.redis_url is no address"):
        load_llm(LLMOptions(url=NOBODY, cache=cache))


def test_a_budget_of_cost_needs_a_price() -> None:
    with pytest.raises(ValidationError, match="needs a price"):
        LLMOptions(budget=BudgetOptions(cost_per_day=5))
