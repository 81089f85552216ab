"""Searches that end before their sidecar answers: by their own limits, by a user, by going away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opensearchpy import OpenSearch

from tests.fake_sidecar import GUARD, FakeSidecar, stalls
from tests.integration.plugin import cancellation
from tests.integration.plugin.failing import LONG, assert_as_without_us
from tests.integration.plugin.opensearch.conftest import Articles
from tests.integration.plugin.opensearch.failing import PIPELINE, Failing
from tests.integration.plugin.opensearch.searching import put_pipeline, search

COLLAPSED = {"collapse": {"field": "view"}}
"""Rescored, the sidecar is asked before the user's own request; reordered, after it."""


@pytest.fixture
def rescored(once: OpenSearch, articles: Articles) -> Failing:
    return Failing(once, articles.index)


@pytest.fixture(params=[{}, COLLAPSED], ids=["before", "after"])
def searches(request: pytest.FixtureRequest, once: OpenSearch, articles: Articles) -> Failing:
    return Failing(once, articles.index, request.param)


@pytest.fixture
def stalled(once: OpenSearch, rescored: Failing, fake: FakeSidecar) -> FakeSidecar:
    """A sidecar that says what it runs and then nothing, in a pipeline that would wait for it."""
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    rescored.reranked()
    fake.behaviour = stalls(fake.sound())
    fake.calls.clear()
    return fake


def test_the_requests_own_timeout_bounds_the_wait(searches: Failing, stalled: FakeSidecar) -> None:
    cancellation.the_requests_own_timeout_bounds_the_wait(searches, stalled)


def test_a_search_that_is_to_be_cancelled_in_time_has_half_of_it_left(
    once: OpenSearch, searches: Failing, stalled: FakeSidecar
) -> None:
    before = searches.plain()
    limit = {"cancel_after_time_interval": "4s"}
    answer = search(once, searches.index, searches.asked, pipeline=PIPELINE, **limit)
    assert_as_without_us(answer, before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


def test_so_has_one_that_the_cluster_would_cancel(
    once: OpenSearch, rescored: Failing, stalled: FakeSidecar
) -> None:
    before = rescored.plain()
    with setting(once, "search.cancel_after_time_interval", "4s"):
        answer = rescored.reranked()
    assert_as_without_us(answer, before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


def test_cancelling_a_search_ends_the_call_of_the_sidecar(
    searches: Failing, stalled: FakeSidecar
) -> None:
    cancellation.cancelling_a_search_ends_the_call_of_the_sidecar(searches, stalled)


def test_a_user_who_goes_away_ends_the_call_of_the_sidecar(
    searches: Failing, stalled: FakeSidecar
) -> None:
    cancellation.a_user_who_goes_away_ends_the_call_of_the_sidecar(searches, stalled)


def test_fifty_that_go_away_leave_nothing(rescored: Failing, stalled: FakeSidecar) -> None:
    cancellation.fifty_that_go_away_leave_nothing(rescored, stalled)


@contextmanager
def setting(engine: OpenSearch, name: str, value: str) -> Iterator[None]:
    """The cluster has this setting until the block ends."""
    engine.cluster.put_settings(body={"transient": {name: value}})
    try:
        yield
    finally:
        engine.cluster.put_settings(body={"transient": {name: None}})
