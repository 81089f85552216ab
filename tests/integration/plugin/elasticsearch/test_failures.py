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
from elasticsearch import ApiError, Elasticsearch

from evaluation.local_sidecar import free_port, serve_command, wait_until_ready
from plugin.models.encoder import Encoder
from tests.broken_answers import ANYWHERE, OF_LISTWISE, OF_RANK, UNUSABLE, Broken
from tests.fake_sidecar import GUARD, Behaviour, FakeSidecar, drips, faking, says, stalls
from tests.integration.plugin.elasticsearch.conftest import (
    StartNode,
    Vectors,
    client_of,
    index_articles,
)
from tests.integration.plugin.elasticsearch.searching import (
    STANDARD,
    Answer,
    reranked,
    search,
)
from tests.integration.plugin.shared import Articles

AGGS = {"views": {"terms": {"field": "view"}}}
STRATEGIES = ("e2rank", "insertrank", "cascade")


def ask(engine: Elasticsearch, index: str, **parameters: Any) -> Answer:
    return search(engine, index, reranked(**parameters), size=20, aggs=AGGS)


def assert_as_without_us(engine: Elasticsearch, index: str, answer: Answer, reason: str) -> None:
    """First-stage order to the last bit, and why."""
    before = search(engine, index, STANDARD, size=20, aggs=AGGS)
    assert answer.body["hits"] == before.body["hits"]
    assert answer.body["aggregations"] == before.body["aggregations"]
    said = answer.said
    assert (said["status"], said["reason"]) == ("passed_through", reason)
    assert one_sentence(said["detail"])
    assert "model" not in said


def one_sentence(text: str) -> bool:
    return bool(text) and "\n" not in text and len(text) < 400


def assert_failing_is_an_error(
    engine: Elasticsearch, index: str, reason: str, **parameters: Any
) -> None:
    """With ``on_failure: fail`` it is a 503 whose one sentence has the reason."""
    with pytest.raises(ApiError) as refused:
        ask(engine, index, on_failure="fail", **parameters)
    assert refused.value.status_code == 503
    told = refused.value.body["error"]["reason"]
    assert told.startswith(f"rankside could not rerank ({reason}): ")
    assert one_sentence(told)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_sound_answer_of_the_fake_is_used(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar, strategy: str
) -> None:
    """So that the failures below are not the fake's own."""
    answer = ask(fake_elasticsearch, fake_articles.index, strategy=strategy)
    assert answer.said["status"] == "reranked"
    assert fake.calls


LISTWISE = {**ANYWHERE, **OF_LISTWISE}


@pytest.mark.parametrize("broken", LISTWISE.values(), ids=LISTWISE)
def test_an_answer_that_cannot_be_used_leaves_the_search_as_it_was(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    answer = ask(fake_elasticsearch, fake_articles.index)
    assert_as_without_us(fake_elasticsearch, fake_articles.index, answer, broken.reason)
    # A connection that breaks may only have been kept for too long, so a second is tried.
    assert len(fake.calls) == (2 if broken.reason == "sidecar_unavailable" else 1)
    assert_failing_is_an_error(fake_elasticsearch, fake_articles.index, broken.reason)


RANK = {**ANYWHERE, **OF_RANK}


@pytest.mark.parametrize("broken", RANK.values(), ids=RANK)
def test_an_order_that_cannot_be_used_leaves_the_search_as_it_was(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    by_llm = {"strategy": "insertrank"}
    answer = ask(fake_elasticsearch, fake_articles.index, **by_llm)
    assert_as_without_us(fake_elasticsearch, fake_articles.index, answer, broken.reason)
    assert_failing_is_an_error(fake_elasticsearch, fake_articles.index, broken.reason, **by_llm)


SLOW: dict[str, Callable[[FakeSidecar], Behaviour]] = {
    "stalls for 5 s": lambda fake: stalls(fake.sound(), 5),
    "never answers": lambda fake: stalls(fake.sound()),
    "answers byte by byte": lambda fake: drips(fake.listwise()),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a_sidecar_that_is_too_slow_leaves_the_search_as_it_was(
    fake_elasticsearch: Elasticsearch,
    fake_articles: Articles,
    fake: FakeSidecar,
    slow: Callable[..., Behaviour],
) -> None:
    fake.behaviour = slow(fake)
    answer = ask(fake_elasticsearch, fake_articles.index, timeout="1s")
    assert_as_without_us(fake_elasticsearch, fake_articles.index, answer, "deadline")
    (call,) = fake.calls
    assert call.left.wait(GUARD)  # the node has closed the connection


def test_a_searchs_own_timeout_is_the_rerankings_too(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> None:
    fake.behaviour = stalls(fake.sound())
    answer = search(fake_elasticsearch, fake_articles.index, reranked(timeout="1h"), timeout="1s")
    assert answer.said["reason"] == "deadline"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_node_whose_sidecar_is_down_answers_as_without_it(
    start_plugin_node: StartNode, nowhere: str, meta: Any, vectors: Vectors, strategy: str
) -> None:
    node = start_plugin_node(nowhere)
    with client_of(node, max_retries=0) as engine:
        articles = index_articles(engine, "articles", 1, meta, vectors)
        answer = ask(engine, articles.index, strategy=strategy)
        assert_as_without_us(engine, articles.index, answer, "sidecar_unavailable")
        assert "rankside serve" in answer.said["detail"]
        for _ in range(5):
            answer = ask(engine, articles.index, strategy=strategy)
        assert_as_without_us(engine, articles.index, answer, "circuit_open")
        assert_failing_is_an_error(engine, articles.index, "circuit_open", strategy=strategy)


def test_a_sidecar_without_an_llm_leaves_an_insertrank_search_as_it_was(
    start_plugin_node: StartNode, minilm: Encoder, meta: Any, vectors: Vectors
) -> None:
    """On a node of its own, for a node remembers which models a sidecar has."""
    with faking(minilm.profile) as bare:
        bare.on_models = bare.lists(llm=False)
        node = start_plugin_node(bare.url)
        with client_of(node, max_retries=0) as engine:
            articles = index_articles(engine, "articles", 1, meta, vectors)
            answer = ask(engine, articles.index, strategy="insertrank")
            assert_as_without_us(engine, articles.index, answer, "no_llm")
            assert_failing_is_an_error(engine, articles.index, "no_llm", strategy="insertrank")
            assert ask(engine, articles.index).said["status"] == "reranked"


def test_vectors_of_another_model_are_not_compared(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> None:
    fake.behaviour = says(200, fake.listwise(fingerprint="0" * 16))
    answer = ask(fake_elasticsearch, fake_articles.index)
    assert_as_without_us(fake_elasticsearch, fake_articles.index, answer, "stale_vectors")
    assert "rankside backfill" in answer.said["detail"]


def test_a_cascade_whose_head_fails_is_e2rank(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> None:
    exact = ask(fake_elasticsearch, fake_articles.index, exact_window=True)
    fake.behaviour = says(200, fake.listwise())  # which is no order
    answer = ask(fake_elasticsearch, fake_articles.index, strategy="cascade")
    assert answer.said["status"] == "partial"
    assert "head_passed_through:unusable_answer" in answer.said["reason"]
    assert answer.ids == exact.ids
    assert_failing_is_an_error(
        fake_elasticsearch, fake_articles.index, UNUSABLE, strategy="cascade"
    )


def test_a_cancelled_search_ends_its_call(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> None:
    fake.behaviour = stalls(fake.sound())
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(ask, fake_elasticsearch, fake_articles.index, timeout="1h")
        (call,) = fake.await_calls(1)
        tasks = tell(fake_elasticsearch, "GET", "/_tasks?actions=indices:data/read/search")
        (node,) = tasks["nodes"].values()
        parents = [one for one, task in node["tasks"].items() if "parent_task_id" not in task]
        for one in parents:
            tell(fake_elasticsearch, "POST", f"/_tasks/{one}/_cancel")
        with pytest.raises(ApiError, match="cancelled"):
            waiting.result(GUARD)
    assert call.left.wait(GUARD)


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
        assert ask(engine, articles.index).said["status"] == "reranked"
        os.kill(running.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(ask, engine, articles.index, timeout="60s")
            await_in_flight(engine)
            assert not waiting.done()
            running.kill()
            answer = waiting.result(GUARD)
        assert_as_without_us(engine, articles.index, answer, "sidecar_unavailable")


def await_in_flight(engine: Elasticsearch) -> None:
    """Return once the node has a call under way."""
    for _ in range(6000):
        (node,) = tell(engine, "GET", "/_rankside/stats")["nodes"].values()
        if node["in_flight"] == 1:
            return
    pytest.fail("no call was seen under way")


def tell(engine: Elasticsearch, method: str, path: str) -> Any:
    """The answer to a request that the client has no word for, or warns of."""
    return engine.perform_request(method, path, headers={"accept": "application/json"}).body
