"""The plugin on a newer OpenSearch than the one that Maven Central has whole.

That one has no k-NN, hence no vectors: what is left is the order of a language model, and passing
a search through.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk

from connectors.meta import IndexMeta
from deploy import local
from tests.articles import article_documents
from tests.integration.plugin.opensearch.conftest import HEAP
from tests.integration.plugin.opensearch.searching import plain, put_pipeline, search
from tests.nodes import own_node

NEWER = "3.8.0"
INDEX = "texts"
BODY = {"query": {"match": {"text": "who looks after it on a cold winter night"}}, "size": 30}


@pytest.fixture(scope="module")
def newer(meta: IndexMeta, sidecar: str) -> Iterator[OpenSearch]:
    """A client of the newer node, which holds the articles as text and a pipeline."""
    zipped = local.build_plugin(version=NEWER)
    with (
        own_node("opensearch", version=NEWER, plugin=zipped, heap=HEAP) as node,
        OpenSearch(node.url, timeout=60) as client,
    ):
        settings = {"index": {"number_of_shards": 3, "number_of_replicas": 0}}
        body = {"settings": settings, "mappings": {"_meta": meta.to_mapping()}}
        client.indices.create(index=INDEX, body=body)
        documents = article_documents().items()
        actions = ({"_index": INDEX, "_id": id_, **source} for id_, source in documents)
        bulk(client, actions, refresh=True)
        put_pipeline(client, "reranked", url=[sidecar], timeout="30s")
        yield client


def test_it_is_the_newer_version_with_the_plugin_and_without_k_nn(newer: OpenSearch) -> None:
    assert newer.info()["version"]["number"] == NEWER
    assert [row["component"] for row in newer.cat.plugins(format="json")] == ["rankside"]


def test_a_language_model_orders_the_window(newer: OpenSearch) -> None:
    before = plain(newer, INDEX, BODY)
    after = search(newer, INDEX, BODY, ext={"strategy": "insertrank", "window": 10})
    assert after.said["status"] == "reranked"
    assert after.ids == before.ids[9::-1] + before.ids[10:]


def test_without_vectors_a_search_is_passed_through_with_the_reason(newer: OpenSearch) -> None:
    before, after = plain(newer, INDEX, BODY), search(newer, INDEX, BODY)
    assert after.said["status"] == "passed_through"
    assert after.said["reason"]
    assert (after.ids, after.scores) == (before.ids, before.scores)


def test_the_node_counts_its_searches(newer: OpenSearch) -> None:
    def reranked() -> int:
        stats = newer.transport.perform_request("GET", "/_plugins/_rankside/stats")
        (node,) = stats["nodes"].values()
        return int(node["searches"]["reranked"])

    before = reranked()
    search(newer, INDEX, BODY, ext={"strategy": "insertrank", "window": 10})
    assert reranked() == before + 1
