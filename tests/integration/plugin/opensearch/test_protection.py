"""How a node protects itself, and the sidecar: circuits, calls at a time, memory, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from opensearchpy import OpenSearch

from connectors.meta import IndexMeta
from deploy.local import RunningNode
from tests.fake_sidecar import GUARD, FakeSidecar, holds, refuses, says
from tests.integration.plugin.opensearch.conftest import HEAP, Articles, index_articles
from tests.integration.plugin.opensearch.failing import (
    BODY,
    LONG,
    PIPELINE,
    assert_as_without_us,
    assert_failing_is_an_error,
    await_true,
    node_stats,
)
from tests.integration.plugin.opensearch.searching import Answer, plain, put_pipeline, search
from tests.nodes import own_node

OPEN_FOR = "5s"  # long enough that a slow machine sees it open, short enough to wait for
SETTINGS = {
    "rankside.circuit.open_for": OPEN_FOR,
    "rankside.circuit.open_for_at_most": OPEN_FOR,
    "rankside.max_in_flight": 2,
}
FAILURES = 5

Beside = Callable[[OpenSearch], "Future[Answer]"]


@pytest.fixture(scope="module")
def strict_node(plugin_zip: Path) -> Iterator[RunningNode]:
    """A node that allows two calls at a time and soon tries again."""
    with own_node("opensearch", plugin=plugin_zip, heap=HEAP, settings=SETTINGS) as node:
        yield node


@pytest.fixture
def strict(strict_node: RunningNode) -> Iterator[OpenSearch]:
    with OpenSearch(strict_node.url, timeout=60, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def index(
    strict_node: RunningNode, meta: IndexMeta, vectors: dict[str, npt.NDArray[np.float32]]
) -> str:
    """The articles, on the strict node."""
    with OpenSearch(strict_node.url, timeout=60) as client:
        return index_articles(client, "articles", 1, meta, vectors).index


@pytest.fixture
def beside(index: str) -> Iterator[Beside]:
    """Starts a search that the test does not wait for."""
    with ThreadPoolExecutor(64) as threads:
        yield lambda engine: threads.submit(search, engine, index, BODY, pipeline=PIPELINE)


def test_a_circuit_opens_half_opens_and_closes(
    strict: OpenSearch, index: str, fake: FakeSidecar, beside: Beside
) -> None:
    put_pipeline(strict, PIPELINE, url=fake.url, timeout=LONG)
    before = plain(strict, index, BODY)
    assert search(strict, index, BODY, pipeline=PIPELINE).said["status"] == "reranked"
    fake.behaviour = refuses(500)
    for _ in range(FAILURES):
        assert node_stats(strict)["circuits"][fake.url] == "closed"
        answer = search(strict, index, BODY, pipeline=PIPELINE)
        assert_as_without_us(answer, before, "sidecar_rejected")
    assert node_stats(strict)["circuits"][fake.url] == "open"

    gate, asked = threading.Event(), len(fake.calls)
    fake.behaviour = holds(gate, fake.sound())
    answer = search(strict, index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "circuit_open")
    assert "window" not in answer.said["timings_ms"]  # the engine was not asked for nothing
    assert_failing_is_an_error(strict, index, "circuit_open")
    assert len(fake.calls) == asked

    probe = until_it_is_asked(strict, fake, beside, asked + 1)
    assert node_stats(strict)["circuits"][fake.url] == "half_open"
    answer = search(strict, index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "circuit_open")
    assert len(fake.calls) == asked + 1  # one probe, no more
    gate.set()
    assert probe.result(GUARD).said["status"] == "reranked"
    assert node_stats(strict)["circuits"][fake.url] == "closed"
    assert search(strict, index, BODY, pipeline=PIPELINE).said["status"] == "reranked"


def test_a_probe_that_fails_opens_the_circuit_again(
    strict: OpenSearch, index: str, fake: FakeSidecar, beside: Beside
) -> None:
    put_pipeline(strict, PIPELINE, url=fake.url, timeout=LONG)
    search(strict, index, BODY, pipeline=PIPELINE)
    fake.behaviour = refuses(503)
    for _ in range(FAILURES):
        search(strict, index, BODY, pipeline=PIPELINE)
    probe = until_it_is_asked(strict, fake, beside, len(fake.calls) + 1)
    assert probe.result(GUARD).said["reason"] == "sidecar_rejected"
    assert node_stats(strict)["circuits"][fake.url] == "open"
    answer = search(strict, index, BODY, pipeline=PIPELINE)
    assert answer.said["reason"] == "circuit_open"


def test_too_much_to_do_opens_no_circuit(strict: OpenSearch, index: str, fake: FakeSidecar) -> None:
    put_pipeline(strict, PIPELINE, url=fake.url, timeout=LONG)
    search(strict, index, BODY, pipeline=PIPELINE)
    fake.behaviour = refuses(429, {"Retry-After": "1"})
    for _ in range(2 * FAILURES):
        answer = search(strict, index, BODY, pipeline=PIPELINE)
        assert answer.said["reason"] == "overloaded"
    assert node_stats(strict)["circuits"][fake.url] == "closed"


def until_it_is_asked(
    engine: OpenSearch, fake: FakeSidecar, beside: Beside, calls: int
) -> Future[Answer]:
    """The search that reaches the sidecar where others only find its circuit open."""
    last = beside(engine)

    def asked() -> bool:
        nonlocal last
        if len(fake.calls) >= calls:
            return True
        if last.done():
            assert last.result().said["reason"] == "circuit_open"
            last = beside(engine)
        return False

    await_true(asked)
    return last


def test_a_search_too_many_does_not_wait(
    strict: OpenSearch, index: str, fake: FakeSidecar, beside: Beside
) -> None:
    put_pipeline(strict, PIPELINE, url=fake.url, timeout=LONG)
    search(strict, index, BODY, pipeline=PIPELINE)
    before, known = plain(strict, index, BODY), len(fake.calls)
    gate = threading.Event()
    fake.behaviour = holds(gate, fake.sound())
    waiting = [beside(strict), beside(strict)]
    fake.await_calls(known + 2)
    assert node_stats(strict)["in_flight"] == 2
    answer = search(strict, index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "too_many_in_flight")
    assert "window" not in answer.said["timings_ms"]
    assert_failing_is_an_error(strict, index, "too_many_in_flight")
    assert not any(one.done() for one in waiting)
    assert len(fake.calls) == known + 2
    gate.set()
    assert [one.result(GUARD).said["status"] for one in waiting] == ["reranked"] * 2
    await_true(lambda: node_stats(strict)["in_flight"] == 0)
    assert search(strict, index, BODY, pipeline=PIPELINE).said["status"] == "reranked"


def test_searches_in_haste_do_not_open_the_circuit_for_others(
    strict: OpenSearch, index: str, fake: FakeSidecar
) -> None:
    put_pipeline(strict, PIPELINE, url=fake.url, timeout=LONG)
    search(strict, index, BODY, pipeline=PIPELINE)
    gate = threading.Event()
    fake.behaviour = holds(gate, fake.sound())
    for _ in range(2 * FAILURES):
        hasty = search(strict, index, {**BODY, "timeout": "50ms"}, pipeline=PIPELINE)
        assert hasty.said["reason"] == "deadline"
    gate.set()
    assert search(strict, index, BODY, pipeline=PIPELINE).said["status"] == "reranked"


def test_no_thread_waits_while_fifty_searches_hang(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    before, gate = plain(once, articles.index, BODY), threading.Event()
    fake.behaviour = holds(gate, fake.sound())
    with ThreadPoolExecutor(50) as threads:
        hanging = [
            threads.submit(search, once, articles.index, BODY, pipeline=PIPELINE) for _ in range(50)
        ]
        fake.await_calls(51)
        assert node_stats(once)["in_flight"] == 50
        # A thread that hung would never be idle; one that ends its part of a search soon is.
        await_true(lambda: busy(once) == {})
        waiting = once.nodes.hot_threads(params={"type": "wait", "threads": 999})
        assert "rankside" not in waiting
        blocked = once.nodes.hot_threads(params={"type": "block", "threads": 999})
        assert "rankside" not in blocked
        assert plain(once, articles.index, BODY).body["hits"] == before.body["hits"]
        assert not any(one.done() for one in hanging)
        gate.set()
        assert {one.result(GUARD).said["status"] for one in hanging} == {"reranked"}


def busy(engine: OpenSearch) -> dict[str, int]:
    """Threads at work and work that waits for one, of the pools that a search runs on."""
    (node,) = engine.nodes.stats(metric="thread_pool")["nodes"].values()
    pools = node["thread_pool"]
    found = {
        name: pools[name]["active"] + pools[name]["queue"]
        for name in ("search", "index_searcher", "generic", "search_throttled", "get")
    }
    return {name: count for name, count in found.items() if count}


def test_long_answers_to_many_searches_do_not_fill_the_heap(
    once: OpenSearch, plugin_node: RunningNode, articles: Articles, fake: FakeSidecar
) -> None:
    """15 MB is less than the longest answer that is read; thirty are most of this node's heap."""
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    before = plain(once, articles.index, BODY)
    fake.behaviour = says(200, b" " * (15 << 20) + b"x")
    with ThreadPoolExecutor(30) as threads:
        asked = [
            threads.submit(search, once, articles.index, BODY, pipeline=PIPELINE) for _ in range(30)
        ]
        answers = [one.result(GUARD) for one in asked]
    assert plugin_node.heap == "512m"
    for answer in answers:
        assert answer.said["reason"] in {"unusable_answer", "circuit_open"}
        assert_as_without_us(answer, before, answer.said["reason"])
    assert "unusable_answer" in {answer.said["reason"] for answer in answers}
