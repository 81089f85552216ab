"""Searches that end before their sidecar answers, on either engine: each function is a test.

The sidecar is to stall; the searches would wait for it longer than anything here does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.fake_sidecar import GUARD, FakeSidecar
from tests.integration.plugin.failing import Searches, assert_as_without_us, await_true


def the_requests_own_timeout_bounds_the_wait(searches: Searches, stalled: FakeSidecar) -> None:
    before = searches.plain()
    assert_as_without_us(searches.reranked({"timeout": "1s"}), before, "deadline")
    assert stalled.calls[0].left.wait(GUARD)


def cancelling_a_search_ends_the_call_of_the_sidecar(
    searches: Searches, stalled: FakeSidecar
) -> None:
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(searches.reranked)
        (call,) = stalled.await_calls(1)
        (task,) = searches.tasks()
        searches.cancel(task)
        _, error = searches.refusal(lambda: waiting.result(GUARD))
    assert error["type"] == "task_cancelled_exception"
    assert error["reason"] == "the search was cancelled"
    assert call.left.wait(GUARD)
    assert_nothing_is_left(searches)


def a_user_who_goes_away_ends_the_call_of_the_sidecar(
    searches: Searches, stalled: FakeSidecar
) -> None:
    user = searches.send()
    (call,) = stalled.await_calls(1)
    assert len(searches.tasks()) == 1
    assert not call.left.is_set()
    user.close()
    assert call.left.wait(GUARD)
    assert_nothing_is_left(searches)


def fifty_that_go_away_leave_nothing(searches: Searches, stalled: FakeSidecar) -> None:
    users = [searches.send() for _ in range(50)]
    calls = stalled.await_calls(50)
    searches.await_in_flight(50)
    for user in users:
        user.close()
    assert all(call.left.wait(GUARD) for call in calls)
    assert_nothing_is_left(searches)
    assert searches.stats()["circuits"][stalled.url] == "closed"  # it did nothing wrong


def assert_nothing_is_left(searches: Searches) -> None:
    """No search is under way and no call."""
    await_true(lambda: searches.tasks() == [])
    searches.await_in_flight(0)
