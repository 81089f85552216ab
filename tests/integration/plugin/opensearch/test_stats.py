"""``GET /_plugins/_rankside/stats`` on a real node: what it did, as it did it."""

from __future__ import annotations

from typing import Any

import pytest
from opensearchpy import OpenSearch, TransportError

from deploy.local import RunningNode

from .conftest import Articles

PATH = "/_plugins/_rankside/stats"


def test_a_reranked_search_and_its_call_are_counted(
    opensearch: OpenSearch, articles: Articles, sidecar: str
) -> None:
    before = only_node(stats(opensearch))
    search(opensearch, articles, sidecar)
    after = only_node(stats(opensearch))
    assert counted(before, after, "searches", "reranked") == 1
    assert counted(before, after, "searches", "passed_through") == 0
    assert counted(before, after, "calls", "listwise", "answered") == 1
    assert counted(before, after, "latency_ms", "listwise", "count") == 1
    assert counted(before, after, "latency_ms", "listwise", "sum") > 0
    latency = after["latency_ms"]["listwise"]
    assert sum(latency["buckets"].values()) == latency["count"]
    assert after["circuits"][sidecar] == "closed"
    assert (after["in_flight"], after["max_in_flight"]) == (0, 64)


def test_a_search_passed_through_is_counted_by_its_reason(
    opensearch: OpenSearch, articles: Articles, nowhere: str
) -> None:
    before = only_node(stats(opensearch))
    search(opensearch, articles, nowhere)
    after = only_node(stats(opensearch))
    assert counted(before, after, "searches", "passed_through") == 1
    assert counted(before, after, "searches", "reranked") == 0
    reasons = ("searches", "passed_through_reasons")
    assert counted(before, after, *reasons, "sidecar_unavailable") == 1
    assert counted(before, after, "calls", "models", "sidecar_unavailable") == 1
    assert after["circuits"][nowhere] == "closed"  # it takes five failures in a row


def test_a_search_that_is_to_fail_is_counted_by_its_reason(
    plugin_node: RunningNode, opensearch: OpenSearch, articles: Articles, nowhere: str
) -> None:
    before = only_node(stats(opensearch))
    with OpenSearch(plugin_node.url, max_retries=0) as once, pytest.raises(TransportError):
        search(once, articles, nowhere, on_failure="fail")
    after = only_node(stats(opensearch))
    assert counted(before, after, "searches", "failed") == 1
    assert counted(before, after, "searches", "failed_reasons", "sidecar_unavailable") == 1
    assert counted(before, after, "searches", "passed_through") == 0


def test_it_has_the_shape_of_the_engines_own(opensearch: OpenSearch) -> None:
    shown, own = stats(opensearch), opensearch.nodes.stats(metric="http")
    assert shown["_nodes"] == own["_nodes"] == {"total": 1, "successful": 1, "failed": 0}
    assert shown["cluster_name"] == own["cluster_name"]
    names = {id_: node["name"] for id_, node in own["nodes"].items()}
    assert {id_: node["name"] for id_, node in shown["nodes"].items()} == names
    together = shown["_all"]
    assert {key: only_node(shown)[key] for key in together} == together


def test_nodes_are_chosen_as_elsewhere(opensearch: OpenSearch) -> None:
    (id_,) = stats(opensearch)["nodes"]
    for chosen, found in ((id_, 1), ("_local", 1), ("cluster_manager:true", 1), ("another", 0)):
        shown = opensearch.transport.perform_request("GET", f"/_plugins/_rankside/{chosen}/stats")
        assert (shown["_nodes"]["total"], len(shown["nodes"])) == (found, found)


def stats(client: OpenSearch) -> dict[str, Any]:
    shown: dict[str, Any] = client.transport.perform_request("GET", PATH)
    return shown


def only_node(shown: dict[str, Any]) -> dict[str, Any]:
    (node,) = shown["nodes"].values()
    return dict(node)


def search(client: OpenSearch, made: Articles, url: str, **parameters: str) -> None:
    processor = {"rankside": {"url": [url], "timeout": "30s", **parameters}}
    client.search_pipeline.put(id="counted", body={"request_processors": [processor]})
    body = {"query": {"match": {"text": "winter frost"}}}
    client.search(index=made.index, body=body, params={"search_pipeline": "counted"})


def counted(before: dict[str, Any], after: dict[str, Any], *path: str) -> float:
    return at(after, *path) - at(before, *path)


def at(shown: Any, *path: str) -> float:
    for name in path:
        shown = shown.get(name, {})
    return shown or 0
