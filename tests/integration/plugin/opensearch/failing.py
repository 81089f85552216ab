"""Searches of OpenSearch's whose sidecar fails."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from opensearchpy import OpenSearch, TransportError

from tests.fake_sidecar import GUARD
from tests.integration.plugin.failing import NOTHING, Searches
from tests.integration.plugin.opensearch.searching import plain, search
from tests.integration.plugin.shared import Answer

BODY = {
    "query": {"match": {"text": "who looks after it on a cold winter night"}},
    "aggs": {"views": {"terms": {"field": "view"}}},
    "size": 20,
}
PIPELINE = "failing"
SHORT = "300ms"


@dataclass(frozen=True)
class Failing(Searches):
    """Searches of ``index`` through `PIPELINE`, whose sidecar its test has said."""

    engine: OpenSearch
    index: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, Any]:
        """The user's request."""
        return {**BODY, **self.body}

    def reranked(self, request: Mapping[str, Any] = NOTHING, **said: Any) -> Answer:
        body = {**self.asked, **request}
        return search(self.engine, self.index, body, pipeline=PIPELINE, ext=said)

    def plain(self) -> Answer:
        return plain(self.engine, self.index, self.asked)

    def send(self) -> http.client.HTTPConnection:
        (host,) = self.engine.transport.hosts
        user = http.client.HTTPConnection(host["host"], host["port"], timeout=GUARD)
        path = f"/{self.index}/_search?search_pipeline={PIPELINE}"
        user.request("POST", path, json.dumps(self.asked), {"Content-Type": "application/json"})
        return user

    def refusal(self, search: Callable[[], Answer]) -> tuple[int, Mapping[str, Any]]:
        with pytest.raises(TransportError) as refused:
            search()
        return refused.value.status_code, refused.value.info["error"]

    def stages(self, answer: Answer) -> set[str]:
        return set(answer.said["timings_ms"])

    def stats(self) -> dict[str, Any]:
        shown = self.engine.transport.perform_request("GET", "/_plugins/_rankside/stats")
        (node,) = shown["nodes"].values()
        return dict(node)

    def tasks(self) -> list[str]:
        shown = self.engine.tasks.list(params={"actions": "indices:data/read/search*"})
        return [task for node in shown["nodes"].values() for task in node["tasks"]]

    def cancel(self, task: str) -> None:
        self.engine.tasks.cancel(task_id=task)

    def pools(self) -> Mapping[str, Mapping[str, int]]:
        (node,) = self.engine.nodes.stats(metric="thread_pool")["nodes"].values()
        pools: dict[str, dict[str, int]] = node["thread_pool"]
        return pools

    def threads(self, state: str) -> str:
        shown: str = self.engine.nodes.hot_threads(params={"type": state, "threads": 999})
        return shown
