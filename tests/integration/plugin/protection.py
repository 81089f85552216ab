"""How a node protects itself, and the sidecar, on either engine.

Each of the functions is a test, of searches on a node that has `SETTINGS` or the usual ones, and a
sidecar that fails on demand and is in no trouble at first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tests.fake_sidecar import GUARD, FakeSidecar, holds, refuses, says
from tests.integration.plugin.counting import REASONS, counted, searched
from tests.integration.plugin.failing import Searches, assert_as_without_us, await_true
from tests.integration.plugin.shared import Answer

OPEN_FOR = "5s"  # long enough that a slow machine sees it open, short enough to wait for
SETTINGS = {
    "rankside.circuit.open_for": OPEN_FOR,
    "rankside.circuit.open_for_at_most": OPEN_FOR,
    "rankside.max_in_flight": 2,
}
FAILURES = 5

Beside = Callable[[], "Future[Answer]"]


def a_circuit_opens_half_opens_and_closes(searches: Searches, fake: FakeSidecar) -> None:
    """On a node of its own `SETTINGS`."""
    before = searches.plain()
    assert searches.reranked().said["status"] == "reranked"
    fake.behaviour = refuses(500)
    for _ in range(FAILURES):
        assert circuit(searches, fake) == "closed"
        assert_as_without_us(searches.reranked(), before, "sidecar_rejected")
    assert circuit(searches, fake) == "open"

    asked = len(fake.calls)
    with ThreadPoolExecutor(2) as threads, opened_at_last() as gate:
        fake.behaviour = holds(gate, fake.sound())
        answer = counted_as(searches, "circuit_open")
        assert_as_without_us(answer, before, "circuit_open")
        assert "window" not in searches.stages(answer)  # the engine was not asked for nothing
        searches.assert_failing_is_an_error("circuit_open")
        assert len(fake.calls) == asked
        probe = until_it_is_asked(fake, lambda: threads.submit(searches.reranked), asked + 1)
        assert circuit(searches, fake) == "half_open"
        assert_as_without_us(searches.reranked(), before, "circuit_open")
        assert len(fake.calls) == asked + 1  # one probe, no more
        gate.set()
        assert probe.result(GUARD).said["status"] == "reranked"
    assert circuit(searches, fake) == "closed"
    assert searches.reranked().said["status"] == "reranked"


def a_probe_that_fails_opens_the_circuit_again(searches: Searches, fake: FakeSidecar) -> None:
    """On a node of its own `SETTINGS`."""
    fake.behaviour = refuses(503)
    for _ in range(FAILURES):
        searches.reranked()
    with ThreadPoolExecutor(2) as threads:
        asked = len(fake.calls)
        probe = until_it_is_asked(fake, lambda: threads.submit(searches.reranked), asked + 1)
        assert probe.result(GUARD).said["reason"] == "sidecar_rejected"
    assert circuit(searches, fake) == "open"
    assert searches.reranked().said["reason"] == "circuit_open"


def too_much_to_do_opens_no_circuit(searches: Searches, fake: FakeSidecar) -> None:
    fake.behaviour = refuses(429, {"Retry-After": "1"})
    for _ in range(2 * FAILURES):
        assert searches.reranked().said["reason"] == "overloaded"
    assert circuit(searches, fake) == "closed"


def a_search_too_many_does_not_wait(searches: Searches, fake: FakeSidecar) -> None:
    """On a node of its own `SETTINGS`."""
    before, known = searches.plain(), len(fake.calls)
    with ThreadPoolExecutor(2) as threads, opened_at_last() as gate:
        fake.behaviour = holds(gate, fake.sound())
        waiting = [threads.submit(searches.reranked) for _ in range(2)]
        fake.await_calls(known + 2)
        searches.await_in_flight(2)
        answer = counted_as(searches, "too_many_in_flight")
        assert_as_without_us(answer, before, "too_many_in_flight")
        assert "window" not in searches.stages(answer)
        searches.assert_failing_is_an_error("too_many_in_flight")
        assert not any(one.done() for one in waiting)
        assert len(fake.calls) == known + 2
        gate.set()
        assert [one.result(GUARD).said["status"] for one in waiting] == ["reranked"] * 2
    searches.await_in_flight(0)
    assert searches.reranked().said["status"] == "reranked"


def searches_in_haste_do_not_open_the_circuit_for_others(
    searches: Searches, fake: FakeSidecar
) -> None:
    with opened_at_last() as gate:
        fake.behaviour = holds(gate, fake.sound())
        for _ in range(2 * FAILURES):
            assert searches.reranked({"timeout": "50ms"}).said["reason"] == "deadline"
    assert searches.reranked().said["status"] == "reranked"


def no_thread_waits_while_fifty_searches_hang(searches: Searches, fake: FakeSidecar) -> None:
    before, known = searches.plain(), len(fake.calls)
    with ThreadPoolExecutor(50) as threads, opened_at_last() as gate:
        fake.behaviour = holds(gate, fake.sound())
        hanging = [threads.submit(searches.reranked) for _ in range(50)]
        fake.await_calls(known + 50)
        searches.await_in_flight(50)
        # A thread that hung would never be idle; one that ends its part of a search soon is.
        await_true(lambda: busy(searches) == {})
        for state in ("wait", "block"):
            lines = searches.threads(state).splitlines()
            assert [line for line in lines if "org.rankside" in line] == []
        assert searches.plain().body["hits"] == before.body["hits"]
        assert not any(one.done() for one in hanging)
        gate.set()
        assert {one.result(GUARD).said["status"] for one in hanging} == {"reranked"}


def a_crowd_beside_a_stalled_sidecar_is_answered(searches: Searches, fake: FakeSidecar) -> None:
    """Of those that are let through each waits as long as it may; none is left behind."""
    before = searches.plain()
    with ThreadPoolExecutor(200) as threads, opened_at_last() as gate:
        fake.behaviour = holds(gate, fake.sound())
        crowd = [threads.submit(searches.reranked, timeout="2s") for _ in range(200)]
        answers = [one.result(GUARD) for one in crowd]
    for answer in answers:
        assert_as_without_us(answer, before, answer.said["reason"])
    reasons = {answer.said["reason"] for answer in answers}
    assert "deadline" in reasons
    assert reasons <= {"deadline", "too_many_in_flight", "circuit_open"}
    searches.await_in_flight(0)


def long_answers_to_many_searches_do_not_fill_the_heap(
    searches: Searches, fake: FakeSidecar
) -> None:
    """15 MB is less than the longest answer that is read; thirty are most of 512 MB."""
    before = searches.plain()
    fake.behaviour = says(200, b" " * (15 << 20) + b"x")
    with ThreadPoolExecutor(30) as threads:
        asked = [threads.submit(searches.reranked) for _ in range(30)]
        answers = [one.result(GUARD) for one in asked]
    for answer in answers:
        assert answer.said["reason"] in {"unusable_answer", "circuit_open"}
        assert_as_without_us(answer, before, answer.said["reason"])
    assert "unusable_answer" in {answer.said["reason"] for answer in answers}


def counted_as(searches: Searches, reason: str) -> Answer:
    """A search that is passed through and counted so."""
    before = searches.stats()
    answer = searches.reranked()
    after = searches.stats()
    assert searched(before, after) == {"passed_through": 1}
    assert counted(before, after, "searches", REASONS, reason) == 1
    return answer


@contextmanager
def opened_at_last() -> Iterator[threading.Event]:
    """A gate for `holds`, which nobody is left behind when the block ends."""
    gate = threading.Event()
    try:
        yield gate
    finally:
        gate.set()


def circuit(searches: Searches, fake: FakeSidecar) -> str:
    """How the node stands with the sidecar."""
    state: str = searches.stats()["circuits"][fake.url]
    return state


def until_it_is_asked(fake: FakeSidecar, beside: Beside, calls: int) -> Future[Answer]:
    """The search that reaches the sidecar where others only find its circuit open."""
    last = beside()

    def asked() -> bool:
        nonlocal last
        if len(fake.calls) >= calls:
            return True
        if last.done():
            assert last.result().said["reason"] == "circuit_open"
            last = beside()
        return False

    await_true(asked)
    return last


def busy(searches: Searches) -> dict[str, int]:
    """Threads at work and work that waits for one, of the pools that a search runs on."""
    of_searches = ("search", "search_coordination", "index_searcher", "generic", "get")
    pools = searches.pools()
    found = {
        name: pools[name]["active"] + pools[name]["queue"] for name in of_searches if name in pools
    }
    assert {"search", "generic"} <= found.keys()
    return {name: count for name, count in found.items() if count}
