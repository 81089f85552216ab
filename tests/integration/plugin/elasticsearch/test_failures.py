"""A search through the retriever outlives its sidecar, whatever that does."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from evaluation.local_sidecar import free_port, serve_command, wait_until_ready
from plugin.models.encoder import Encoder
from tests.broken_answers import ANYWHERE, OF_LISTWISE, OF_RANK, UNUSABLE, Broken
from tests.fake_sidecar import GUARD, Behaviour, Call, FakeSidecar, drips, faking, says, stalls
from tests.integration.plugin.elasticsearch.conftest import (
    StartNode,
    Vectors,
    client_of,
    index_articles,
)
from tests.integration.plugin.elasticsearch.failing import Failing
from tests.integration.plugin.failing import assert_as_without_us
from tests.integration.plugin.shared import Articles

STRATEGIES = ("e2rank", "insertrank", "cascade")


@pytest.fixture
def failing(fake_elasticsearch: Elasticsearch, fake_articles: Articles) -> Failing:
    return Failing(fake_elasticsearch, fake_articles.index)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_sound_answer_of_the_fake_is_used(
    failing: Failing, fake: FakeSidecar, strategy: str
) -> None:
    """So that the failures below are not the fake's own."""
    answer = failing.reranked(strategy=strategy)
    assert answer.said["status"] == "reranked"
    assert fake.calls


LISTWISE = {**ANYWHERE, **OF_LISTWISE}


@pytest.mark.parametrize("broken", LISTWISE.values(), ids=LISTWISE)
def test_an_answer_that_cannot_be_used_leaves_the_search_as_it_was(
    failing: Failing, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    answer = failing.reranked()
    assert_as_without_us(answer, failing.plain(), broken.reason)
    # A connection that breaks may only have been kept for too long, so a second is tried.
    assert len(fake.calls) == (2 if broken.reason == "sidecar_unavailable" else 1)
    failing.assert_failing_is_an_error(broken.reason)


RANK = {**ANYWHERE, **OF_RANK}


@pytest.mark.parametrize("broken", RANK.values(), ids=RANK)
def test_an_order_that_cannot_be_used_leaves_the_search_as_it_was(
    failing: Failing, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    by_llm = {"strategy": "insertrank"}
    answer = failing.reranked(**by_llm)
    assert_as_without_us(answer, failing.plain(), broken.reason)
    failing.assert_failing_is_an_error(broken.reason, **by_llm)


SLOW: dict[str, Callable[[FakeSidecar], Behaviour]] = {
    "stalls for 5 s": lambda fake: stalls(fake.sound(), 5),
    "never answers": lambda fake: stalls(fake.sound()),
    "answers byte by byte": lambda fake: drips(fake.listwise()),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a_sidecar_that_is_too_slow_leaves_the_search_as_it_was(
    failing: Failing,
    fake: FakeSidecar,
    slow: Callable[..., Behaviour],
) -> None:
    fake.behaviour = slow(fake)
    answer = failing.reranked(timeout="1s")
    assert_as_without_us(answer, failing.plain(), "deadline")
    (call,) = fake.calls
    assert call.left.wait(GUARD)  # the node has closed the connection


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_node_whose_sidecar_is_down_answers_as_without_it(
    start_plugin_node: StartNode, nowhere: str, meta: Any, vectors: Vectors, strategy: str
) -> None:
    node = start_plugin_node(nowhere)
    with client_of(node, max_retries=0) as engine:
        articles = index_articles(engine, "articles", 1, meta, vectors)
        searches = Failing(engine, articles.index)
        answer = searches.reranked(strategy=strategy)
        assert_as_without_us(answer, searches.plain(), "sidecar_unavailable")
        assert "rankside serve" in answer.said["detail"]
        for _ in range(5):
            answer = searches.reranked(strategy=strategy)
        assert_as_without_us(answer, searches.plain(), "circuit_open")
        searches.assert_failing_is_an_error("circuit_open", strategy=strategy)


def test_a_sidecar_without_an_llm_leaves_an_insertrank_search_as_it_was(
    start_plugin_node: StartNode, minilm: Encoder, meta: Any, vectors: Vectors
) -> None:
    """On a node of its own, for a node remembers which models a sidecar has."""
    with faking(minilm.profile) as bare:
        bare.on_models = bare.lists(llm=False)
        node = start_plugin_node(bare.url)
        with client_of(node, max_retries=0) as engine:
            articles = index_articles(engine, "articles", 1, meta, vectors)
            searches = Failing(engine, articles.index)
            answer = searches.reranked(strategy="insertrank")
            assert_as_without_us(answer, searches.plain(), "no_llm")
            searches.assert_failing_is_an_error("no_llm", strategy="insertrank")
            assert searches.reranked().said["status"] == "reranked"


def test_vectors_of_another_model_are_not_compared(failing: Failing, fake: FakeSidecar) -> None:
    fake.behaviour = says(200, fake.listwise(fingerprint="0" * 16))
    answer = failing.reranked()
    assert_as_without_us(answer, failing.plain(), "stale_vectors")
    assert "rankside backfill" in answer.said["detail"]


def test_a_cascade_whose_head_fails_is_e2rank(failing: Failing, fake: FakeSidecar) -> None:
    exact = failing.reranked(exact_window=True)
    fake.behaviour = says(200, fake.listwise())  # which is no order
    answer = failing.reranked(strategy="cascade")
    assert answer.said["status"] == "partial"
    assert "head_passed_through:unusable_answer" in answer.said["reason"]
    assert answer.ids == exact.ids
    failing.assert_failing_is_an_error(UNUSABLE, strategy="cascade")


def test_a_cascade_whose_head_is_settled_is_e2rank_and_whole(
    failing: Failing, fake: FakeSidecar
) -> None:
    exact = failing.reranked(exact_window=True)

    def settles(call: Call) -> None:
        said = {"status": "passed_through", "reason": "head_settled:2.31"}
        ids = [hit["id"] for hit in call.body["hits"]]
        ranking = call.path == "/v1/rank"
        call.answer(200, fake.ranking(ids, **said) if ranking else fake.listwise())

    fake.behaviour = settles
    answer = failing.reranked(strategy="cascade", on_failure="fail")
    assert (answer.said["status"], answer.said["reason"]) == ("reranked", "head_settled:2.31")
    assert answer.ids == exact.ids


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A real sidecar of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(serve_command(port), stdout=log, stderr=log) as made,
    ):
        wait_until_ready(url, tmp_path / "log", runs=lambda: made.poll() is None)
        yield made, url
        made.kill()


def test_a_sidecar_killed_in_the_middle_of_a_search_leaves_first_stage_order_and_says_so(
    start_plugin_node: StartNode,
    process: tuple[subprocess.Popen[bytes], str],
    meta: Any,
    vectors: Vectors,
) -> None:
    """Stopped first, so that the call is surely in flight when the process is killed."""
    running, url = process
    node = start_plugin_node(url)
    with client_of(node, max_retries=0) as engine:
        articles = index_articles(engine, "articles", 1, meta, vectors)
        searches = Failing(engine, articles.index)
        assert searches.reranked().said["status"] == "reranked"
        os.kill(running.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(searches.reranked)
            searches.await_in_flight(1)
            assert not waiting.done()
            running.kill()
            answer = waiting.result(GUARD)
        assert_as_without_us(answer, searches.plain(), "sidecar_unavailable")
