"""Searches that end before their sidecar answers: by their own limits, by a user, by going away."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from opensearchpy import OpenSearch, TransportError

from deploy.local import RunningNode
from tests.fake_sidecar import GUARD, FakeSidecar, stalls
from tests.integration.plugin.opensearch.conftest import Articles
from tests.integration.plugin.opensearch.failing import (
    BODY,
    LONG,
    PIPELINE,
    assert_as_without_us,
    await_in_flight,
    await_true,
    node_stats,
)
from tests.integration.plugin.opensearch.searching import plain, put_pipeline, search

ACTIONS = "indices:data/read/search*"
COLLAPSED = {**BODY, "collapse": {"field": "view"}}
FORMS = pytest.mark.parametrize("body", [BODY, COLLAPSED], ids=["before", "after"])
"""Rescored, the sidecar is asked before the user's own request; reordered, after it."""


@pytest.fixture
def stalled(once: OpenSearch, articles: Articles, fake: FakeSidecar) -> FakeSidecar:
    """A sidecar that says what it runs and then nothing, in a pipeline that would wait for it."""
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    search(once, articles.index, BODY, pipeline=PIPELINE)
    fake.behaviour = stalls(fake.sound())
    fake.calls.clear()
    return fake


@FORMS
def test_the_requests_own_timeout_bounds_the_wait(
    once: OpenSearch, articles: Articles, stalled: FakeSidecar, body: dict[str, Any]
) -> None:
    before = plain(once, articles.index, body)
    answer = search(once, articles.index, {**body, "timeout": "200ms"}, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


@FORMS
def test_a_search_that_is_to_be_cancelled_in_time_has_half_of_it_left(
    once: OpenSearch, articles: Articles, stalled: FakeSidecar, body: dict[str, Any]
) -> None:
    before = plain(once, articles.index, body)
    limit = {"cancel_after_time_interval": "4s"}
    answer = search(once, articles.index, body, pipeline=PIPELINE, **limit)
    assert_as_without_us(answer, before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


def test_so_has_one_that_the_cluster_would_cancel(
    once: OpenSearch, articles: Articles, stalled: FakeSidecar
) -> None:
    before = plain(once, articles.index, BODY)
    with setting(once, "search.cancel_after_time_interval", "4s"):
        answer = search(once, articles.index, BODY, pipeline=PIPELINE)
    assert_as_without_us(answer, before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


@FORMS
def test_cancelling_a_search_ends_the_call_of_the_sidecar(
    once: OpenSearch, articles: Articles, stalled: FakeSidecar, body: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(search, once, articles.index, body, pipeline=PIPELINE)
        (call,) = stalled.await_calls(1)
        (task,) = search_tasks(once)
        once.tasks.cancel(task_id=task)
        with pytest.raises(TransportError) as cancelled:
            waiting.result(GUARD)
    error = cancelled.value.info["error"]
    assert error["type"] == "task_cancelled_exception"
    assert error["reason"] == "the search was cancelled"
    assert call.left.wait(GUARD)
    assert_nothing_is_left(once)


@FORMS
def test_a_user_who_goes_away_ends_the_call_of_the_sidecar(
    once: OpenSearch,
    plugin_node: RunningNode,
    articles: Articles,
    stalled: FakeSidecar,
    body: dict[str, Any],
) -> None:
    user = http.client.HTTPConnection(urlsplit(plugin_node.url).netloc, timeout=GUARD)
    user.request(
        "POST",
        f"/{articles.index}/_search?search_pipeline={PIPELINE}",
        json.dumps(body),
        {"Content-Type": "application/json"},
    )
    (call,) = stalled.await_calls(1)
    assert len(search_tasks(once)) == 1
    assert not call.left.is_set()
    user.close()
    assert call.left.wait(GUARD)
    assert_nothing_is_left(once)


def test_fifty_that_go_away_leave_nothing(
    once: OpenSearch, plugin_node: RunningNode, articles: Articles, stalled: FakeSidecar
) -> None:
    users = []
    for _ in range(50):
        user = http.client.HTTPConnection(urlsplit(plugin_node.url).netloc, timeout=GUARD)
        path = f"/{articles.index}/_search?search_pipeline={PIPELINE}"
        user.request("POST", path, json.dumps(BODY), {"Content-Type": "application/json"})
        users.append(user)
    calls = stalled.await_calls(50)
    await_in_flight(once, 50)
    for user in users:
        user.close()
    assert all(call.left.wait(GUARD) for call in calls)
    assert_nothing_is_left(once)
    assert node_stats(once)["circuits"][stalled.url] == "closed"  # it did nothing wrong


def assert_nothing_is_left(engine: OpenSearch) -> None:
    await_true(lambda: search_tasks(engine) == [])
    await_in_flight(engine, 0)


def search_tasks(engine: OpenSearch) -> list[str]:
    """The ids of the searches under way."""
    nodes = engine.tasks.list(params={"actions": ACTIONS})["nodes"]
    return [task for node in nodes.values() for task in node["tasks"]]


@contextmanager
def setting(engine: OpenSearch, name: str, value: str) -> Iterator[None]:
    """The cluster has this setting until the block ends."""
    engine.cluster.put_settings(body={"transient": {name: value}})
    try:
        yield
    finally:
        engine.cluster.put_settings(body={"transient": {name: None}})
