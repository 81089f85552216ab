"""Searches whose sidecar fails, and what is to be true of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import OpenSearch, TransportError

from tests.fake_sidecar import GUARD
from tests.integration.plugin.opensearch.searching import Answer, search

BODY = {
    "query": {"match": {"text": "who looks after it on a cold winter night"}},
    "aggs": {"views": {"terms": {"field": "view"}}},
    "size": 20,
}
PIPELINE = "failing"
LONG = "60s"  # nothing here waits for it
SHORT = "300ms"


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


def assert_failing_is_an_error(
    once: OpenSearch, index: str, reason: str, body: dict[str, Any] = BODY, **ext: Any
) -> None:
    """With ``on_failure: fail`` it is a 503 whose one sentence has the reason."""
    with pytest.raises(TransportError) as refused:
        search(once, index, body, pipeline=PIPELINE, ext={"on_failure": "fail", **ext})
    assert refused.value.status_code == 503
    told = refused.value.info["error"]["reason"]
    assert told.startswith(f"rankside could not rerank ({reason}): ")
    assert one_sentence(told)


def node_stats(engine: OpenSearch) -> dict[str, Any]:
    """What the one node says of its calls."""
    shown = engine.transport.perform_request("GET", "/_plugins/_rankside/stats")
    (node,) = shown["nodes"].values()
    return dict(node)


def await_in_flight(engine: OpenSearch, calls: int) -> None:
    """Return once the node has so many calls under way."""
    await_true(lambda: node_stats(engine)["in_flight"] == calls)


def await_true(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
