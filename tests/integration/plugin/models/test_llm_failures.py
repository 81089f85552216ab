"""Rankings of a sidecar whose LLM server stalls, breaks off, lies and refuses, many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import Response

from plugin.models.chat.options import BudgetOptions, CircuitOptions
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import WordEncoder
from tests.llm_server import LLMServer, Streamed
from tests.serving import serving

CROWD = 50
IDS = [f"d{number}" for number in range(6)]
HITS = [
    {"id": name, "score": 9.0 - place, "text": f"text {name}"} for place, name in enumerate(IDS)
]
NEVER = CircuitOptions(failures=1000)
WORD = "[6] > [5] > [4] > [3] > [2] > [1]"

FAILURES: dict[str, Callable[[], Response | Streamed]] = {
    "stalls before it answers": lambda: Streamed([], stalls=True),
    "stalls while it answers": lambda: Streamed(["[6] > ", "[5]"], stalls=True),
    "breaks off": lambda: Streamed(["[6] > [5] > "], drops=True),
    "closes at once": lambda: Streamed([], drops=True),
    "streams garbage": lambda: Streamed([b"\x00\xff<html>\n\n" * 50]),
    "streams events of garbage": lambda: Streamed([b"data: {]\n\n"]),
    "refuses": lambda: Response(status_code=429, headers={"Retry-After": "0.05"}),
    "is overloaded": lambda: Response(status_code=503),
    "fails": lambda: Response(status_code=500),
    "answers nonsense": lambda: Streamed(["All of them are good passages."]),
    "answers": lambda: Streamed([WORD]),
}


def ask(number: int, **more: Any) -> dict[str, Any]:
    """A ranking nobody has asked for yet."""
    return {"query": f"text {number}", "hits": HITS, "strategy": "insertrank", **more}


async def crowd(options: LLMOptions, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    """Send them all at once to a sidecar of the options' LLM."""
    app = create_app(SidecarOptions(), WordEncoder(), load_llm(options), llm_options=options)
    with serving(app) as address:
        limits = httpx.Limits(max_connections=len(bodies))
        async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
            return await asyncio.gather(*(client.post("/v1/rank", json=body) for body in bodies))


def complete(answer: httpx.Response) -> dict[str, Any]:
    """An answer that holds every hit exactly once and says what became of it."""
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    ids = [item["id"] for item in body["results"]]
    assert sorted(ids) == IDS
    if body["status"] == "passed_through":
        assert ids == IDS
    assert body["reason"] if body["status"] != "reranked" else not body["reason"]
    return body


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_crowd_is_answered_whatever_the_server_does(
    url: str, server: LLMServer, failure: Callable[[], Response | Streamed]
) -> None:
    server.scripted = [failure() for _ in range(CROWD * 4)]  # each may be tried again
    options = LLMOptions(url=url, max_concurrent=CROWD, circuit=NEVER)

    answers = await crowd(options, [ask(number, deadline_ms=3000) for number in range(CROWD)])

    assert len([complete(answer) for answer in answers]) == CROWD


async def test_a_mixed_crowd_is_answered_each_by_what_it_met(url: str, server: LLMServer) -> None:
    made = list(FAILURES.values())
    server.scripted = [made[number % len(made)]() for number in range(CROWD * 4)]
    options = LLMOptions(url=url, max_concurrent=CROWD, circuit=NEVER)

    answers = await crowd(options, [ask(number, deadline_ms=8000) for number in range(CROWD)])

    met = Counter((body["reason"] or "").split(":")[0] for body in map(complete, answers))
    assert {"", "deadline", "llm_answer_truncated", "llm_answer_unusable"} <= met.keys()
    assert {"llm_unavailable", "llm_output", "llm_overloaded"} <= met.keys()


async def test_a_server_that_keeps_failing_is_left_alone(url: str, server: LLMServer) -> None:
    server.scripted = [Response(status_code=500) for _ in range(CROWD)]
    options = LLMOptions(url=url, max_concurrent=1, circuit=CircuitOptions(failures=3))

    answers = await crowd(options, [ask(number, deadline_ms=30_000) for number in range(CROWD)])

    met = Counter(complete(answer)["reason"] for answer in answers)
    assert met.keys() <= {"llm_unavailable", "llm_circuit_open"}
    assert len(server.bodies) == met["llm_unavailable"]


async def test_a_spent_budget_passes_searches_through_visibly(url: str, server: LLMServer) -> None:
    server.answer = WORD
    options = LLMOptions(url=url, budget=BudgetOptions(tokens_per_day=2000))

    answers = await crowd(options, [ask(number) for number in range(CROWD)])

    met = Counter(complete(answer)["reason"] for answer in answers)
    assert met.keys() == {None, "llm_budget_day"}
    assert len(server.bodies) == met[None]
    assert 0 < met[None] < CROWD


async def test_a_crowd_that_asks_the_same_costs_one_answer(url: str, server: LLMServer) -> None:
    server.answer, server.delay = WORD, 0.3
    options = LLMOptions(url=url)

    answers = await crowd(options, [ask(1)] * CROWD)

    usage = [complete(answer)["usage"] for answer in answers]
    assert len(server.bodies) == 1
    assert sum(one["answers_cached"] for one in usage) == CROWD - 1
    assert sum(one["prompt_tokens"] for one in usage) == 21
