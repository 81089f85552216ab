"""The plugin in a cluster of two nodes: what goes from one to the other arrives as it was sent.

Each search is sent to either node, of an index whose shards are on both and of the same documents
with all shards on one, which must not make a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from deploy.local import RunningNode
from pipelines.definitions import index_body
from tests.articles import FIELDS, article_documents
from tests.integration.plugin.elasticsearch.conftest import HEAP, URL, Vectors, client_of
from tests.integration.plugin.elasticsearch.searching import STANDARD, Answer, reranked, search
from tests.integration.plugin.shared import Articles
from tests.nearly import nearly
from tests.nodes import own_node

NAMES = ("first", "second")
SHARDS = 3
ONE_NODE = {"routing.allocation.require._name": "first"}
BOTH_NODES = {"routing.allocation.total_shards_per_node": SHARDS - 1}
WAYS: Mapping[str, dict[str, Any]] = {
    "e2rank": {},
    "exact window": {"exact_window": True, "rank_window_size": 30},
    "rocchio": {"fusion": {"query": 0.5, "rocchio": 0.5}},
    "insertrank": {"strategy": "insertrank"},
    "cascade": {"strategy": "cascade"},
    "least score": {"min_score": 0.5, "rank_window_size": 40},
}


@dataclass(frozen=True)
class Cluster:
    """Clients of its nodes by name, and the articles on one node and on both."""

    clients: Mapping[str, Elasticsearch]
    together: Articles
    spread: Articles


@pytest.fixture(scope="module")
def cluster(plugin_zip: Path, sidecar: str, meta: IndexMeta, vectors: Vectors) -> Iterator[Cluster]:
    """Two nodes of one cluster, each with the plugin and the real sidecar."""
    with ExitStack() as running:
        joins: dict[str, Any] = {"cluster.initial_master_nodes": [NAMES[0]]}
        clients: dict[str, Elasticsearch] = {}
        for name in NAMES:
            node = running.enter_context(_node(name, plugin_zip, sidecar, joins))
            clients[name] = running.enter_context(client_of(node))
            joins = {"discovery.seed_hosts": [_transport(clients[name], name)]}
        client = clients[NAMES[0]]
        client.cluster.health(wait_for_nodes=len(NAMES), timeout="60s")
        yield Cluster(
            clients,
            _articles(client, "together", meta, vectors, ONE_NODE),
            _articles(client, "spread", meta, vectors, BOTH_NODES),
        )


def test_the_shards_are_where_they_should_be(cluster: Cluster) -> None:
    """So that the tests below are of two nodes."""
    assert _nodes_of(cluster, cluster.together) == {"first"}
    assert _nodes_of(cluster, cluster.spread) == set(NAMES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("node", NAMES)
def test_it_does_not_matter_where_the_shards_are(cluster: Cluster, node: str, way: str) -> None:
    answers = [
        _ask(cluster.clients[node], one, explain=True, **WAYS[way])
        for one in (cluster.together, cluster.spread)
    ]
    together, spread = [_without_place(answer) for answer in answers]
    assert len(spread) == 20
    assert spread == nearly(together)
    assert all(hit["fields"]["rankside"] for hit in spread)
    plain = search(cluster.clients[node], cluster.spread.index, STANDARD, size=20)
    assert answers[1].ids != plain.ids


def test_either_node_gives_the_same_page(cluster: Cluster) -> None:
    pages = [
        [_ask(client, cluster.spread, **{"from": start}).ids for start in (0, 20, 40)]
        for client in cluster.clients.values()
    ]
    assert pages[0] == pages[1]
    assert len({id_ for page in pages[0] for id_ in page}) == 60


@pytest.mark.parametrize("node", NAMES)
def test_the_query_by_itself_reaches_both(cluster: Cluster, node: str) -> None:
    wanted = cluster.spread.vectors["7"].tolist()
    query = {
        "field": cluster.spread.meta.vector_field,
        "vector": wanted,
        "hash_field": cluster.spread.meta.hash_field,
        "fingerprint": cluster.spread.meta.fingerprint,
    }
    answer = cluster.clients[node].search(
        index=cluster.spread.index, query={"rankside_vector": query}, size=200
    )
    assert len(answer["hits"]["hits"]) == len(cluster.spread.documents)
    best = answer["hits"]["hits"][0]
    assert (best["_id"], best["_score"]) == ("7", pytest.approx(2.0, abs=1e-5))


@pytest.mark.parametrize("node", NAMES)
def test_documents_sent_to_either_node_get_their_vectors(cluster: Cluster, node: str) -> None:
    client, meta, index = cluster.clients[node], cluster.spread.meta, f"written-to-{node}"
    client.ingest.put_pipeline(id="embed", processors=[{"rankside_embedding": {}}])
    body = index_body(
        EngineKind.ELASTICSEARCH, meta, shards=SHARDS, replicas=0, default_pipeline="embed"
    )
    body["settings"]["index"] |= BOTH_NODES
    client.indices.create(index=index, **body)
    texts = [{"_index": index, "_id": id_, **source} for id_, source in article_documents().items()]
    bulk(client, texts[:40], refresh=True)
    embedded = client.count(index=index, query={"exists": {"field": meta.vector_field}})
    assert embedded["count"] == 40


def test_the_counts_are_of_both_nodes(cluster: Cluster) -> None:
    before = _stats(cluster)
    for client in cluster.clients.values():
        assert _ask(client, cluster.spread).said["status"] == "reranked"
    after = _stats(cluster)
    assert {node["name"] for node in after["nodes"].values()} == set(NAMES)
    for id_, node in after["nodes"].items():
        assert _reranked(node) == _reranked(before["nodes"][id_]) + 1
    assert _reranked(after["_all"]) == _reranked(before["_all"]) + 2


def _node(
    name: str, plugin: Path, sidecar: str, joins: Mapping[str, Any]
) -> AbstractContextManager[RunningNode]:
    settings = {
        "cluster.name": "rankside-two-nodes",
        "node.name": name,
        "discovery.type": "multi-node",
        URL: [sidecar],
        **joins,
    }
    return own_node("elasticsearch", plugin=plugin, heap=HEAP, settings=settings)


def _transport(client: Elasticsearch, name: str) -> str:
    nodes = client.nodes.info(metric="transport")["nodes"].values()
    (address,) = [one["transport"]["publish_address"] for one in nodes if one["name"] == name]
    return str(address)


def _articles(
    client: Elasticsearch, name: str, meta: IndexMeta, vectors: Vectors, placed: Mapping[str, Any]
) -> Articles:
    body = index_body(EngineKind.ELASTICSEARCH, meta, shards=SHARDS, replicas=0, extra=FIELDS)
    body["settings"]["index"] |= placed
    client.indices.create(index=name, **body)
    made = Articles(name, meta, article_documents(), vectors)
    bulk(client, made.actions(), refresh=True)
    return made


def _nodes_of(cluster: Cluster, articles: Articles) -> set[str]:
    rows = cluster.clients[NAMES[0]].cat.shards(index=articles.index, h="node", format="json")
    return {row["node"] for row in rows}


def _ask(client: Elasticsearch, articles: Articles, **said: Any) -> Answer:
    body = {key: said.pop(key) for key in ("from", "explain") if key in said}
    answer = search(client, articles.index, reranked(**said), size=20, **body)
    assert answer.said["status"] == "reranked"
    return answer


def _without_place(answer: Answer) -> list[dict[str, Any]]:
    """Its hits without what tells indices and shards from each other."""
    told = ("_index", "_shard", "_node", "_explanation")
    return [{key: value for key, value in hit.items() if key not in told} for hit in answer.hits]


def _stats(cluster: Cluster) -> dict[str, Any]:
    return dict(cluster.clients[NAMES[1]].perform_request("GET", "/_rankside/stats").body)


def _reranked(counts: Mapping[str, Any]) -> int:
    return int(counts["searches"]["reranked"])
