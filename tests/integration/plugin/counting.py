"""What a node counts of its searches and calls, on either engine: each function is a test."""

from __future__ import annotations

from typing import Any

from tests.integration.plugin.failing import Searches

REASONS = "passed_through_reasons"


def a_reranked_search_and_its_call_are_counted(searches: Searches, sidecar: str) -> None:
    before = searches.stats()
    assert searches.reranked().said["status"] == "reranked"
    after = searches.stats()
    assert searched(before, after) == {"reranked": 1}
    assert counted(before, after, "calls", "listwise", "answered") == 1
    assert counted(before, after, "latency_ms", "listwise", "count") == 1
    assert counted(before, after, "latency_ms", "listwise", "sum") > 0
    latency = after["latency_ms"]["listwise"]
    assert sum(latency["buckets"].values()) == latency["count"]
    assert after["circuits"][sidecar] == "closed"
    assert after["max_in_flight"] == 64
    searches.await_in_flight(0)  # once a minute it asks for the models beside a search


def a_search_passed_through_is_counted_by_its_reason(
    searches: Searches, sidecar: str, operation: str, reason: str
) -> None:
    """Where a call of ``operation`` fails for that ``reason``."""
    before = searches.stats()
    assert searches.reranked().said["reason"] == reason
    after = searches.stats()
    assert searched(before, after) == {"passed_through": 1}
    assert counted(before, after, "searches", REASONS, reason) == 1
    assert counted(before, after, "calls", operation, reason) == 1
    assert counted(before, after, "latency_ms", operation, "count") == 0
    assert after["circuits"][sidecar] == "closed"  # it takes five failures in a row


def a_search_that_is_to_fail_is_counted_by_its_reason(searches: Searches, reason: str) -> None:
    before = searches.stats()
    searches.assert_failing_is_an_error(reason)
    after = searches.stats()
    assert searched(before, after) == {"failed": 1}
    assert counted(before, after, "searches", "failed_reasons", reason) == 1
    assert counted(before, after, "searches", REASONS, reason) == 0


def searched(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """Searches by their status, those that there were."""
    statuses = ("reranked", "partial", "passed_through", "failed")
    found = {status: counted(before, after, "searches", status) for status in statuses}
    return {status: count for status, count in found.items() if count}


def counted(before: dict[str, Any], after: dict[str, Any], *path: str) -> float:
    """How much more there is."""
    return _at(after, *path) - _at(before, *path)


def _at(shown: Any, *path: str) -> float:
    for name in path:
        shown = shown.get(name, {})
    return shown or 0
