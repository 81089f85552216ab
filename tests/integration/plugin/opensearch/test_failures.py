"""A search through the processor outlives its sidecar, whatever that does."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from deploy.local import RunningNode
from evaluation.local_sidecar import free_port, serve_command, wait_until_ready
from tests.broken_answers import ANYWHERE, OF_LISTWISE, OF_RANK, UNUSABLE, Broken
from tests.fake_sidecar import GUARD, Behaviour, FakeSidecar, drips, refuses, says, stalls
from tests.integration.plugin.failing import LONG, assert_as_without_us
from tests.integration.plugin.opensearch.conftest import Articles
from tests.integration.plugin.opensearch.failing import BODY, PIPELINE, SHORT, Failing
from tests.integration.plugin.opensearch.searching import plain, put_pipeline, search
from tests.nearly import nearly


@pytest.mark.parametrize("strategy", ["e2rank", "insertrank", "cascade"])
def test_a_sound_answer_of_the_fake_is_used(
    opensearch: OpenSearch, articles: Articles, fake: FakeSidecar, strategy: str
) -> None:
    """So that the failures below are not the fake's own."""
    put_pipeline(opensearch, PIPELINE, url=fake.url, timeout=LONG, strategy=strategy)
    answer = search(opensearch, articles.index, BODY, pipeline=PIPELINE)
    assert answer.said["status"] == "reranked"
    assert answer.ids != plain(opensearch, articles.index, BODY).ids


LISTWISE = {**ANYWHERE, **OF_LISTWISE}


@pytest.mark.parametrize("broken", LISTWISE.values(), ids=LISTWISE)
def test_an_answer_that_cannot_be_used_leaves_the_search_as_it_was(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, broken.reason)
    # A connection that breaks may only have been kept for too long, so a second is tried.
    assert len(fake.calls) == (2 if broken.reason == "sidecar_unavailable" else 1)
    Failing(once, articles.index).assert_failing_is_an_error(broken.reason)


RANK = {**ANYWHERE, **OF_RANK}


@pytest.mark.parametrize("broken", RANK.values(), ids=RANK)
def test_an_order_that_cannot_be_used_leaves_the_search_as_it_was(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, broken: Broken
) -> None:
    fake.behaviour = broken.behaviour(fake)
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG, strategy="insertrank")
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, broken.reason)
    Failing(once, articles.index).assert_failing_is_an_error(broken.reason)


SLOW: dict[str, Callable[[FakeSidecar], Behaviour]] = {
    "stalls for 5 s": lambda fake: stalls(fake.sound(), 5),
    "never answers": lambda fake: stalls(fake.sound()),
    "answers byte by byte": lambda fake: drips(fake.listwise()),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a_sidecar_that_is_too_slow_leaves_the_search_as_it_was(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, slow: Callable[..., Behaviour]
) -> None:
    fake.behaviour = slow(fake)
    put_pipeline(once, PIPELINE, url=fake.url, timeout="1s")
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "deadline")
    (call,) = fake.calls
    assert call.left.wait(GUARD)  # the node has closed the connection
    Failing(once, articles.index).assert_failing_is_an_error("deadline")


@pytest.mark.parametrize("strategy", ["e2rank", "insertrank", "cascade"])
def test_a_sidecar_that_is_down_leaves_the_search_as_it_was(
    once: OpenSearch, articles: Articles, nowhere: str, strategy: str
) -> None:
    put_pipeline(once, PIPELINE, url=nowhere, timeout=LONG, strategy=strategy)
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "sidecar_unavailable")
    assert "rankside serve" in answer.said["detail"]
    Failing(once, articles.index).assert_failing_is_an_error("sidecar_unavailable")


def test_there_is_one_line_in_the_log_and_not_one_a_search(
    once: OpenSearch, plugin_node: RunningNode, articles: Articles, nowhere: str
) -> None:
    put_pipeline(once, PIPELINE, url=nowhere, timeout=LONG)
    for _ in range(20):
        search(once, articles.index, BODY, pipeline=PIPELINE)
    log = plugin_node.log.read_text("utf-8").splitlines()
    lines = [one for one in log if "search passed through: " in one and nowhere in one]
    assert len(lines) < 20  # one in ten seconds
    assert any("search passed through: sidecar_unavailable (" in one for one in log)


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        (refuses(500), "sidecar_rejected"),
        (says(200, b"<html>"), UNUSABLE),
        (says(200, b'{"data": []}'), UNUSABLE),
    ],
    ids=["500", "page", "no models"],
)
def test_a_sidecar_that_cannot_say_what_it_runs_is_not_asked_to_rank(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, models: Behaviour, reason: str
) -> None:
    fake.on_models = models
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, reason)
    Failing(once, articles.index).assert_failing_is_an_error(reason)
    assert fake.calls == []
    fake.on_models = fake.lists()  # it is not remembered
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert answer.said["status"] == "reranked"


def test_a_sidecar_that_stalls_before_it_has_said_what_it_runs_is_asked_once_for_all(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    fake.on_models = stalls(fake.lists())
    put_pipeline(once, PIPELINE, url=fake.url, timeout="1s")
    before = plain(once, articles.index, BODY)
    with ThreadPoolExecutor(5) as beside:
        waiting = [
            beside.submit(search, once, articles.index, BODY, pipeline=PIPELINE) for _ in range(5)
        ]
        for one in waiting:
            assert_as_without_us(one.result(GUARD), before, "deadline")
    assert fake.listed < 5
    assert fake.calls == []


def test_a_sidecar_without_an_llm_leaves_an_insertrank_search_as_it_was(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    fake.on_models = fake.lists(llm=False)
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG, strategy="insertrank")
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "no_llm")
    Failing(once, articles.index).assert_failing_is_an_error("no_llm")


def test_a_model_that_was_changed_is_asked_for_anew(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    assert fake.listed == 1
    fake.behaviour = says(200, fake.listwise(fingerprint="0" * 16))
    before = plain(once, articles.index, BODY)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "stale_vectors")
    assert "rankside backfill" in answer.said["detail"]
    search(once, articles.index, BODY, pipeline=PIPELINE)
    assert fake.listed == 2


def test_a_cascade_whose_head_fails_is_e2rank(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    exact = search(once, articles.index, BODY, pipeline=PIPELINE, ext={"exact_window": True})
    fake.behaviour = says(200, fake.listwise())  # which is no order
    answer = search(once, articles.index, BODY, pipeline=PIPELINE, ext={"strategy": "cascade"})
    assert answer.said["status"] == "partial"
    assert "head_passed_through:unusable_answer" in answer.said["reason"]
    assert answer.body["hits"] == nearly(exact.body["hits"])
    Failing(once, articles.index).assert_failing_is_an_error(UNUSABLE, strategy="cascade")


def test_a_response_that_was_to_be_put_in_order_is_shown_as_the_engine_made_it(
    once: OpenSearch, articles: Articles, fake: FakeSidecar
) -> None:
    """A search with ``collapse`` is reordered after the engine's answer, not rescored."""
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    body = {**BODY, "collapse": {"field": "view"}, "from": 2, "size": 3}
    before = plain(once, articles.index, body)
    answer = search(once, articles.index, body, pipeline=PIPELINE)
    assert answer.said["method"] == "reorder"
    for broken in (ANYWHERE["error 500"], OF_LISTWISE["NaN"]):
        fake.behaviour = broken.behaviour(fake)
        answer = search(once, articles.index, body, pipeline=PIPELINE)
        assert_as_without_us(answer, before, broken.reason)
        Failing(once, articles.index, body).assert_failing_is_an_error(broken.reason)


def test_the_second_address_is_asked_where_the_first_is_dead(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, nowhere: str
) -> None:
    put_pipeline(once, PIPELINE, url=[nowhere, fake.url], timeout=LONG)
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert answer.said["status"] == "reranked"
    assert len(fake.calls) == 1


def test_the_second_address_is_asked_where_the_first_has_stalled_too_often(
    once: OpenSearch, articles: Articles, fake: FakeSidecar, other_fake: FakeSidecar
) -> None:
    """A stalled one takes a search's time; the fifth in a row opens its circuit."""
    put_pipeline(once, PIPELINE, url=[fake.url, other_fake.url], timeout=LONG)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    fake.behaviour = stalls(fake.sound())
    for _ in range(5):
        answer = search(once, articles.index, BODY, pipeline=PIPELINE, ext={"timeout": SHORT})
        assert answer.said["reason"] == "deadline"
    assert other_fake.calls == []
    answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert answer.said["status"] == "reranked"
    assert len(other_fake.calls) == 1


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
    once: OpenSearch, articles: Articles, process: tuple[subprocess.Popen[bytes], str]
) -> None:
    """Stopped first, so that the call is surely in flight when the process is killed."""
    running, url = process
    put_pipeline(once, PIPELINE, url=url, timeout=LONG)
    before = plain(once, articles.index, BODY)
    reranked = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert reranked.said["status"] == "reranked"
    assert reranked.ids != before.ids
    os.kill(running.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(search, once, articles.index, BODY, pipeline=PIPELINE)
        Failing(once, articles.index).await_in_flight(1)
        assert not waiting.done()
        running.kill()
        answer = waiting.result(GUARD)
    assert_as_without_us(answer, before, "sidecar_unavailable")
    Failing(once, articles.index).assert_failing_is_an_error("sidecar_unavailable")
