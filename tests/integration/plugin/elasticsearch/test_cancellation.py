"""Searches that end before their sidecar answers: by their own limits, by a user, by going away."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

from tests.fake_sidecar import FakeSidecar, stalls
from tests.integration.plugin import cancellation
from tests.integration.plugin.elasticsearch.failing import Failing, ready
from tests.integration.plugin.shared import Articles


@pytest.fixture
def searches(fake_elasticsearch: Elasticsearch, fake_articles: Articles) -> Failing:
    return Failing(fake_elasticsearch, fake_articles.index)


@pytest.fixture
def stalled(searches: Failing, fake: FakeSidecar) -> FakeSidecar:
    """A sidecar that says what it runs and then nothing."""
    ready(searches, fake)
    fake.behaviour = stalls(fake.sound())
    fake.calls.clear()
    return fake


def test_the_requests_own_timeout_bounds_the_wait(searches: Failing, stalled: FakeSidecar) -> None:
    cancellation.the_requests_own_timeout_bounds_the_wait(searches, stalled)


def test_cancelling_a_search_ends_the_call_of_the_sidecar(
    searches: Failing, stalled: FakeSidecar
) -> None:
    cancellation.cancelling_a_search_ends_the_call_of_the_sidecar(searches, stalled)


def test_a_user_who_goes_away_ends_the_call_of_the_sidecar(
    searches: Failing, stalled: FakeSidecar
) -> None:
    cancellation.a_user_who_goes_away_ends_the_call_of_the_sidecar(searches, stalled)


def test_fifty_that_go_away_leave_nothing(searches: Failing, stalled: FakeSidecar) -> None:
    cancellation.fifty_that_go_away_leave_nothing(searches, stalled)
