"""Searches whose sidecar fails, on either engine, and what is to be true of them."""

from __future__ import annotations

import http.client
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_sidecar import GUARD
from tests.integration.plugin.shared import Answer

LONG = "60s"  # nothing here waits for it
NOTHING: Mapping[str, Any] = {}


class Searches(ABC):
    """Searches for the same hits, through the sidecar and as the engine answers by itself."""

    @abstractmethod
    def reranked(self, request: Mapping[str, Any] = NOTHING, **said: Any) -> Answer:
        """Through the sidecar, with more in the ``request`` or ``said`` to Rankside."""

    @abstractmethod
    def plain(self) -> Answer:
        """As the engine answers by itself."""

    @abstractmethod
    def send(self) -> http.client.HTTPConnection:
        """A user who has asked for what is `reranked` and does not wait for it."""

    @abstractmethod
    def refusal(self, search: Callable[[], Answer]) -> tuple[int, Mapping[str, Any]]:
        """Status and error of a search that fails."""

    @abstractmethod
    def stages(self, answer: Answer) -> set[str]:
        """Names of the stages that it has timings of."""

    @abstractmethod
    def stats(self) -> dict[str, Any]:
        """What the one node says of its calls."""

    @abstractmethod
    def tasks(self) -> list[str]:
        """The ids of the users' searches under way."""

    @abstractmethod
    def cancel(self, task: str) -> None:
        """End a search that is under way."""

    @abstractmethod
    def pools(self) -> Mapping[str, Mapping[str, int]]:
        """The node's thread pools by their names, as it counts them."""

    @abstractmethod
    def threads(self, state: str) -> str:
        """What the node's threads are at that ``wait`` or ``block``."""

    def await_in_flight(self, calls: int) -> None:
        """Return once the node has so many calls under way."""
        await_true(lambda: self.stats()["in_flight"] == calls)

    def assert_failing_is_an_error(self, reason: str, **said: Any) -> None:
        """With ``on_failure: fail`` it is a 503 whose one sentence has the reason."""
        status, error = self.refusal(lambda: self.reranked(on_failure="fail", **said))
        assert status == 503
        told = error["reason"]
        assert told.startswith(f"rankside could not rerank ({reason}): ")
        assert one_sentence(told)


def assert_as_without_us(answer: Answer, before: Answer, reason: str) -> None:
    """First-stage order to the last bit, and why."""
    assert answer.body["hits"] == before.body["hits"]
    assert answer.body["aggregations"] == before.body["aggregations"]
    said = answer.said
    assert (said["status"], said["reason"]) == ("passed_through", reason)
    assert one_sentence(said["detail"])
    assert {"method", "model"}.isdisjoint(said)


def one_sentence(text: str) -> bool:
    return bool(text) and "\n" not in text and len(text) < 400


def await_true(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
