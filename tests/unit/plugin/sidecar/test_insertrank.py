"""InsertRank and the cascade behind HTTP, with an LLM that answers, lies or fails as told."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import httpx
import numpy as np
import pytest

from plugin.models.chat.cache import CachedLLM
from plugin.models.chat.options import CacheOptions, PriceOptions
from plugin.models.chat.store import MemoryStore
from plugin.models.llm import Completion
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import (
    BudgetExhausted,
    CircuitOpen,
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.llm_prompt import ChatMessage
from tests.doubles import Serve, WordEncoder

TEXTS = ["the cat sat", "read a text file", "open a file", "taxes on goods"]
HITS = [{"id": f"d{n}", "score": 9.0 - n, "text": text} for n, text in enumerate(TEXTS)]
BODY: dict[str, Any] = {"query": "read file", "hits": HITS, "strategy": "insertrank"}


class ScriptedLLM:
    """Answers what it is told to, or raises it."""

    name = "scripted"
    tokenizer = None

    def __init__(self) -> None:
        self.answer: str | Exception = "[4] > [3] > [2] > [1]"
        self.delay = 0.0
        self.cut = False
        self.first_token: tuple[tuple[str, float], ...] = ()
        self.together = 0
        self.most_together = 0
        self.asked: list[Sequence[ChatMessage]] = []
        self.closed = False

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        del passages
        self.asked.append(messages)
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        await asyncio.sleep(min(self.delay, timeout + 1))
        self.together -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Completion(self.answer, 21, 7, cut=self.cut, first_token=self.first_token)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def llm() -> ScriptedLLM:
    return ScriptedLLM()


@pytest.fixture
def client(serve: Serve, llm: ScriptedLLM) -> httpx.Client:
    return serve(llm=llm, llm_options=LLMOptions(window=4))


def ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["results"]]


def test_the_llms_order_is_taken_and_its_tokens_counted(client: httpx.Client) -> None:
    answer = client.post("/v1/rank", json=BODY)
    assert ids(answer) == ["d3", "d2", "d1", "d0"]
    assert answer.json()["status"] == "reranked"
    assert answer.json()["strategy"] == "insertrank"
    assert answer.json()["usage"]["prompt_tokens"] == 21
    assert answer.json()["usage"]["completion_tokens"] == 7
    assert 'rankside_llm_tokens_total{kind="prompt"} 21.0' in client.get("/metrics").text


def test_hits_beyond_the_llms_window_keep_their_places(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    hits = [*HITS, {"id": "d4", "score": 1.0, "text": "read file"}, {"id": "d5", "score": 0.5}]
    answer = client.post("/v1/rank", json={**BODY, "hits": hits})
    assert ids(answer) == ["d3", "d2", "d1", "d0", "d4", "d5"]
    assert "[5]" not in llm.asked[0][1].content


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ModelUnavailable("down"), "llm_unavailable"),
        (ModelOutputError("no answer"), "llm_output"),
        (Overloaded("busy", retry_after=1), "llm_overloaded"),
        (DeadlineExceeded("slow"), "deadline"),
        (CircuitOpen("left alone"), "llm_circuit_open"),
        (BudgetExhausted("spent", per="minute"), "llm_budget_minute"),
        (BudgetExhausted("spent", per="day"), "llm_budget_day"),
        ("I cannot rank these.", "llm_answer_unusable"),
    ],
)
def test_a_failing_llm_leaves_the_first_stage_order(
    client: httpx.Client, llm: ScriptedLLM, failure: str | Exception, reason: str
) -> None:
    llm.answer = failure
    answer = client.post("/v1/rank", json=BODY)
    assert answer.status_code == 200
    assert ids(answer) == ["d0", "d1", "d2", "d3"]
    assert (answer.json()["status"], answer.json()["reason"]) == ("passed_through", reason)


def test_a_slow_llm_is_left_at_the_deadline(client: httpx.Client, llm: ScriptedLLM) -> None:
    llm.delay = 60.0
    answer = client.post("/v1/rank", json={**BODY, "deadline_ms": 60})
    assert (answer.json()["status"], answer.json()["reason"]) == ("passed_through", "deadline")


def test_a_cascade_orders_the_head_of_e2ranks_order(
    serve: Serve, llm: ScriptedLLM, client: httpx.Client
) -> None:
    first = ids(client.post("/v1/rank", json={**BODY, "strategy": "e2rank"}))
    llm.answer = "[2] > [1]"
    cascading = serve(llm=llm, llm_options=LLMOptions(window=2))
    answer = cascading.post("/v1/rank", json={**BODY, "strategy": "cascade"})
    assert ids(answer) == [first[1], first[0], first[2], first[3]]
    assert (answer.json()["status"], answer.json()["strategy"]) == ("reranked", "cascade")
    assert answer.json()["timings_ms"]["encode"] > 0


def test_a_cascade_whose_head_fails_keeps_e2ranks_order(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    first = ids(client.post("/v1/rank", json={**BODY, "strategy": "e2rank"}))
    llm.answer = ModelUnavailable("down")
    answer = client.post("/v1/rank", json={**BODY, "strategy": "cascade"})
    assert ids(answer) == first
    assert answer.json()["status"] == "partial"
    assert answer.json()["reason"] == "head_passed_through:llm_unavailable"


@pytest.mark.parametrize("strategy", ["insertrank", "cascade"])
def test_without_an_llm_its_strategies_are_refused_with_the_remedy(
    serve: Serve, strategy: str
) -> None:
    answer = serve().post("/v1/rank", json={**BODY, "strategy": strategy})
    assert answer.status_code == 422
    assert "RANKSIDE_LLM__URL" in answer.json()["error"]["message"]


def test_hits_without_text_follow_those_that_have_one(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    llm.answer = "[3] > [2] > [1]"
    hits = [HITS[0], {"id": "silent", "score": 8.5}, *HITS[1:3]]
    answer = client.post("/v1/rank", json={**BODY, "hits": hits, "explain": True}).json()
    assert [item["id"] for item in answer["results"]] == ["d2", "d1", "d0", "silent"]
    assert (answer["status"], answer["reason"]) == ("partial", "no_text:1")
    assert answer["prompts"][0]["hits"] == ["d0", "d1", "d2"]


def test_scores_stand_in_the_prompt_unless_there_are_none(serve: Serve, llm: ScriptedLLM) -> None:
    client = serve(llm=llm, strategy="insertrank")
    client.post("/v1/rank", json={**BODY, "strategy": None})
    answer = client.post("/v1/rerank", json={"query": "read file", "documents": TEXTS})
    with_scores, without = (messages[1].content for messages in llm.asked)
    assert "BM25 9.00" in with_scores
    assert "BM25" not in without
    assert [item["index"] for item in answer.json()["results"]] == [3, 2, 1, 0]
    assert [item["relevance_score"] for item in answer.json()["results"]] == [1, 0.75, 0.5, 0.25]


def test_the_llm_has_a_card_and_is_closed_at_the_end(serve: Serve, llm: ScriptedLLM) -> None:
    cards = serve(llm=llm).get("/v1/models").json()["data"]
    assert [(card["id"], card["kind"]) for card in cards] == [
        ("words", "encoder"),
        ("scripted", "llm"),
    ]


MANY = [{"id": f"d{n}", "score": 9.0 - n, "text": f"file {n}"} for n in range(6)]


def test_more_hits_than_a_prompt_holds_are_asked_for_in_several(
    serve: Serve, llm: ScriptedLLM
) -> None:
    options = LLMOptions(window=6, prompt_hits=4, stride=2)
    answer = serve(llm=llm, llm_options=options).post("/v1/rank", json={**BODY, "hits": MANY})
    assert ids(answer) == ["d4", "d5", "d1", "d0", "d3", "d2"]
    assert answer.json()["status"] == "reranked"
    assert answer.json()["usage"]["prompt_tokens"] == 42
    assert (len(llm.asked), llm.most_together) == (2, 1)


def test_a_tournaments_groups_are_asked_side_by_side(serve: Serve, llm: ScriptedLLM) -> None:
    options = LLMOptions(window=6, prompt_hits=3, stride=1, windows="tournament")
    llm.answer, llm.delay = "[3] > [2] > [1]", 0.01
    answer = serve(llm=llm, llm_options=options).post("/v1/rank", json={**BODY, "hits": MANY})
    assert sorted(ids(answer)) == [f"d{n}" for n in range(6)]
    assert llm.most_together == 2


@pytest.mark.parametrize(
    ("failure", "asked"), [(Overloaded("busy", retry_after=1), 1), (ModelOutputError("odd"), 2)]
)
def test_a_failure_that_lasts_is_not_asked_for_again(
    serve: Serve, llm: ScriptedLLM, failure: Exception, asked: int
) -> None:
    llm.answer = failure
    options = LLMOptions(window=6, prompt_hits=4, stride=2)
    answer = serve(llm=llm, llm_options=options).post("/v1/rank", json={**BODY, "hits": MANY})
    assert ids(answer) == [f"d{n}" for n in range(6)]
    assert answer.json()["status"] == "passed_through"
    assert len(llm.asked) == asked


def test_an_answer_that_a_limit_ended_is_partial(client: httpx.Client, llm: ScriptedLLM) -> None:
    llm.answer, llm.cut = "[4] > [2]", True
    answer = client.post("/v1/rank", json=BODY).json()
    assert (answer["status"], answer["reason"]) == ("partial", "llm_answer_truncated:missing=2")


def test_explain_tells_what_was_asked_and_what_was_read(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    llm.answer = "<think>hm</think>[4] > [3] > [9]"
    (told,) = client.post("/v1/rank", json={**BODY, "explain": True}).json()["prompts"]
    sent = json.dumps([asdict(turn) for turn in llm.asked[0]])
    assert told["sha256"] == hashlib.sha256(sent.encode()).hexdigest()
    assert told["template"] == "insertrank-1"
    assert told["hits"] == ["d0", "d1", "d2", "d3"]
    assert told["answer"] == llm.answer
    assert (told["outcome"], told["missing"], told["out_of_range"]) == ("repaired", 2, 1)
    assert told["tokens"] > 50
    assert client.post("/v1/rank", json=BODY).json()["prompts"] is None


def test_an_answer_that_is_no_utf8_is_explained_all_the_same(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    llm.answer = "[4] > [3] > [2] > [1] \ud83d"
    answer = client.post("/v1/rank", json={**BODY, "explain": True})
    assert answer.status_code == 200
    assert answer.json()["prompts"][0]["answer"] == "[4] > [3] > [2] > [1] ?"
    assert ids(answer) == ["d3", "d2", "d1", "d0"]


def test_a_query_that_fills_the_context_is_refused(serve: Serve, llm: ScriptedLLM) -> None:
    client = serve(llm=llm, llm_options=LLMOptions(context_tokens=512, max_tokens=64))
    answer = client.post("/v1/rank", json={**BODY, "query": "read file " * 400})
    assert answer.status_code == 413
    assert "leaves no room for passages" in answer.json()["error"]["message"]


def test_passages_that_were_cut_are_counted(serve: Serve, llm: ScriptedLLM) -> None:
    client = serve(llm=llm, llm_options=LLMOptions(passage_words=10))
    hits = [{**HITS[0], "text": "word " * 11}, *HITS[1:]]
    answer = client.post("/v1/rank", json={**BODY, "hits": hits})
    assert answer.json()["usage"]["truncated"] == 1


class HastyLLM(ScriptedLLM):
    """Gives what it has when its time is up, as a stream does."""

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        del passages
        self.asked.append(messages)
        await asyncio.sleep(timeout)
        return Completion("[3] > [1] > ", 21, 4, cut=True, estimated=True)


def test_what_has_come_at_the_deadline_is_a_partial_order(serve: Serve) -> None:
    client = serve(llm=HastyLLM())
    answer = client.post("/v1/rank", json={**BODY, "deadline_ms": 400}).json()
    assert [item["id"] for item in answer["results"]] == ["d2", "d0", "d1", "d3"]
    assert (answer["status"], answer["reason"]) == ("partial", "llm_answer_truncated:missing=2")
    assert 'rankside_llm_answers_total{how="cut"} 1.0' in client.get("/metrics").text


def test_what_it_cost_is_told_and_counted(serve: Serve, llm: ScriptedLLM) -> None:
    price = PriceOptions(prompt=2, completion=10)
    client = serve(llm=llm, llm_options=LLMOptions(price=price))
    answer = client.post("/v1/rank", json=BODY).json()
    assert answer["usage"]["cost"] == pytest.approx((21 * 2 + 7 * 10) / 1_000_000)
    assert "rankside_llm_cost_total 0.000112" in client.get("/metrics").text


def test_an_answer_that_was_there_already_is_told(serve: Serve, llm: ScriptedLLM) -> None:
    client = serve(llm=CachedLLM(llm, MemoryStore(CacheOptions()), ""))
    first, second = (client.post("/v1/rank", json=BODY).json() for _ in range(2))
    assert first["results"] == second["results"]
    assert (first["usage"]["answers_cached"], second["usage"]["answers_cached"]) == (0, 1)
    assert (first["usage"]["prompt_tokens"], second["usage"]["prompt_tokens"]) == (21, 0)
    assert 'rankside_llm_answers_total{how="cached"} 1.0' in client.get("/metrics").text


def test_e2rank_takes_the_place_of_an_llm_that_gives_no_order(
    serve: Serve, llm: ScriptedLLM
) -> None:
    client = serve(llm=llm, llm_options=LLMOptions(fallback="e2rank"))
    llm.answer = ModelUnavailable("down")
    answer = client.post("/v1/rank", json=BODY).json()
    e2rank = client.post("/v1/rank", json={**BODY, "strategy": "e2rank"}).json()
    assert answer["results"] == e2rank["results"]
    assert (answer["status"], answer["strategy"]) == ("partial", "e2rank")
    assert answer["reason"] == "insertrank_lost:llm_unavailable"
    assert 'reason="insertrank_lost",status="partial",strategy="e2rank"} 1.0' in (
        client.get("/metrics").text
    )


def test_where_both_steps_fail_both_are_named(serve: Serve, llm: ScriptedLLM) -> None:
    encoder = WordEncoder()
    encoder.spoil = lambda vectors: vectors * np.nan
    client = serve(encoder, llm, llm_options=LLMOptions(fallback="e2rank"))
    llm.answer = ModelUnavailable("down")
    answer = client.post("/v1/rank", json=BODY).json()
    assert [item["id"] for item in answer["results"]] == ["d0", "d1", "d2", "d3"]
    assert answer["status"] == "passed_through"
    assert answer["reason"] == "insertrank_lost:llm_unavailable; encoder_output"


def test_the_fallback_has_time_of_its_own(serve: Serve, llm: ScriptedLLM) -> None:
    llm.delay = 600.0
    options = LLMOptions(fallback="e2rank", fallback_reserve=60)
    client = serve(llm=llm, llm_options=options)
    answer = client.post("/v1/rank", json={**BODY, "deadline_ms": 4_000})
    assert answer.json()["reason"] == "insertrank_lost:deadline"
    assert (answer.json()["status"], answer.json()["strategy"]) == ("partial", "e2rank")


def test_the_first_tokens_probabilities_are_an_order(serve: Serve, llm: ScriptedLLM) -> None:
    llm.answer = "C"
    llm.first_token = (("C", -0.2), (" A", -1.5), ("D", -3.0), ("B", -9999.0))
    client = serve(llm=llm, llm_options=LLMOptions(decoding="first_token"))
    answer = client.post("/v1/rank", json=BODY).json()
    assert [item["id"] for item in answer["results"]] == ["d2", "d0", "d3", "d1"]
    assert answer["status"] == "reranked"
    assert "[A]" in llm.asked[0][1].content


@pytest.mark.parametrize(("head", "shown"), [(1, 1), (2, 2), (50, 4), (None, 4)])
def test_a_request_may_say_how_many_a_cascade_hands_on(
    client: httpx.Client, llm: ScriptedLLM, head: int | None, shown: int
) -> None:
    client.post("/v1/rank", json={**BODY, "strategy": "cascade", "head": head})
    assert [f"[{number}] " in llm.asked[0][1].content for number in range(1, 6)] == [
        number <= shown for number in range(1, 6)
    ]


def test_a_request_may_say_how_long_the_llm_may_take(
    client: httpx.Client, llm: ScriptedLLM
) -> None:
    llm.delay = 600.0
    body = {**BODY, "strategy": "cascade", "deadline_ms": 60_000, "llm_deadline_ms": 50}
    answer = client.post("/v1/rank", json=body).json()
    assert (answer["status"], answer["reason"]) == ("partial", "head_passed_through:deadline")


@pytest.mark.parametrize(
    ("scores", "asked"), [([3.0, 1.0, 1.0], 0), ([3.0, 2.9, 1.0], 1), ([3.0], 1), (None, 1)]
)
def test_scores_of_the_callers_own_settle_a_head_too(
    serve: Serve, llm: ScriptedLLM, scores: list[float] | None, asked: int
) -> None:
    client = serve(llm=llm, llm_options=LLMOptions(settled_margin=1.5))
    body = {**BODY, "strategy": "insertrank", "window_scores": scores}
    answer = client.post("/v1/rank", json=body).json()
    assert len(llm.asked) == asked
    settled = ("passed_through", "head_settled:2.12")
    assert ((answer["status"], answer["reason"]) == settled) is (asked == 0)


@pytest.mark.parametrize(("margin", "asked"), [(0.01, 0), (99, 1)])
def test_a_cascade_asks_no_llm_where_its_head_is_settled(
    serve: Serve, llm: ScriptedLLM, margin: float, asked: int
) -> None:
    client = serve(llm=llm, llm_options=LLMOptions(settled_margin=margin))
    answer = client.post("/v1/rank", json={**BODY, "strategy": "cascade"}).json()
    assert len(llm.asked) == asked
    assert (answer["status"], answer["strategy"]) == ("reranked", "cascade")
    assert (answer["reason"] or "").startswith("head_settled:") is (asked == 0)
