"""``GET /_plugins/_rankside/stats`` on a real node: what it did, as it did it."""

from __future__ import annotations

from typing import Any

from opensearchpy import OpenSearch

from tests.integration.plugin import counting
from tests.integration.plugin.opensearch.failing import PIPELINE, Failing
from tests.integration.plugin.opensearch.searching import put_pipeline

from .conftest import Articles

PATH = "/_plugins/_rankside/stats"


def test_a_reranked_search_and_its_call_are_counted(
    once: OpenSearch, articles: Articles, sidecar: str
) -> None:
    put_pipeline(once, PIPELINE, url=sidecar, timeout="30s")
    counting.a_reranked_search_and_its_call_are_counted(Failing(once, articles.index), sidecar)


def test_a_search_passed_through_is_counted_by_its_reason(
    once: OpenSearch, articles: Articles, nowhere: str
) -> None:
    put_pipeline(once, PIPELINE, url=nowhere, timeout="30s")
    counting.a_search_passed_through_is_counted_by_its_reason(
        Failing(once, articles.index), nowhere, "models", "sidecar_unavailable"
    )


def test_a_search_that_is_to_fail_is_counted_by_its_reason(
    once: OpenSearch, articles: Articles, nowhere: str
) -> None:
    put_pipeline(once, PIPELINE, url=nowhere, timeout="30s")
    counting.a_search_that_is_to_fail_is_counted_by_its_reason(
        Failing(once, articles.index), "sidecar_unavailable"
    )


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
