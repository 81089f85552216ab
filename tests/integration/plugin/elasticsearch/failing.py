"""Searches of Elasticsearch's whose sidecar fails."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.fake_sidecar import GUARD, FakeSidecar, says
from tests.integration.plugin.elasticsearch.searching import STANDARD, reranked, search
from tests.integration.plugin.failing import LONG, NOTHING, Searches, await_true
from tests.integration.plugin.shared import Answer

BODY = {"aggs": {"views": {"terms": {"field": "view"}}}, "size": 20}


@dataclass(frozen=True)
class Failing(Searches):
    """Searches of ``index`` on a node that has been told its sidecar."""

    engine: Elasticsearch
    index: str

    def reranked(self, request: Mapping[str, Any] = NOTHING, **said: Any) -> Answer:
        retriever = reranked(**{"timeout": LONG, **said})
        return search(self.engine, self.index, retriever, **{**BODY, **request})

    def plain(self) -> Answer:
        return search(self.engine, self.index, STANDARD, **BODY)

    def send(self) -> http.client.HTTPConnection:
        node = self.engine.transport.node_pool.get()
        user = http.client.HTTPConnection(node.host, node.port, timeout=GUARD)
        body = json.dumps({**BODY, "retriever": reranked(timeout=LONG)})
        headers = {"Content-Type": "application/json"}
        user.request("POST", f"/{self.index}/_search", body, headers)
        return user

    def refusal(self, search: Callable[[], Answer]) -> tuple[int, Mapping[str, Any]]:
        with pytest.raises(ApiError) as refused:
            search()
        return refused.value.status_code, refused.value.body["error"]

    def stages(self, answer: Answer) -> set[str]:
        return {one.partition("=")[0] for one in answer.said["timings"].split(", ")}

    def stats(self) -> dict[str, Any]:
        (node,) = tell(self.engine, "GET", "/_rankside/stats")["nodes"].values()
        return dict(node)

    def tasks(self) -> list[str]:
        shown = tell(self.engine, "GET", "/_tasks?actions=indices:data/read/search")
        tasks = [one for node in shown["nodes"].values() for one in node["tasks"].items()]
        return [id_ for id_, task in tasks if "parent_task_id" not in task]

    def cancel(self, task: str) -> None:
        tell(self.engine, "POST", f"/_tasks/{task}/_cancel")

    def pools(self) -> Mapping[str, Mapping[str, int]]:
        (node,) = self.engine.nodes.stats(metric="thread_pool")["nodes"].values()
        pools: dict[str, dict[str, int]] = node["thread_pool"]
        return pools

    def threads(self, state: str) -> str:
        return str(self.engine.nodes.hot_threads(type=state, threads=999))


def ready(searches: Failing, fake: FakeSidecar) -> Failing:
    """``searches`` on a node that has just asked what the fake runs, whatever came before.

    It asks every minute, by a call like others: for the next minute there is none to be mistaken
    for a search's.
    """
    fake.reset()
    fake.behaviour = says(200, fake.listwise(fingerprint="0" * 16))
    await_true(lambda: searches.reranked().said.get("reason") == "stale_vectors")
    fake.reset()
    assert searches.reranked().said["status"] == "reranked"
    assert fake.listed == 1
    return searches


def tell(engine: Elasticsearch, method: str, path: str) -> Any:
    """The answer to a request that the client has no word for, or warns of."""
    return engine.perform_request(method, path, headers={"accept": "application/json"}).body
