"""The plugin on a real node: it loads, and leaves nothing to complain about."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch

from deploy.local import RunningNode

from .conftest import Articles
from .searching import put_pipeline, search


def test_the_node_has_the_plugin(opensearch: OpenSearch) -> None:
    listed = {row["component"]: row for row in opensearch.cat.plugins(format="json")}
    assert listed["rankside"]["version"] == "0.1.0"


def test_no_warning_of_the_start_is_about_the_plugin(plugin_node: RunningNode) -> None:
    log = plugin_node.log.read_text("utf-8")
    assert "loaded plugin [rankside]" in log
    start, started, _ = log.partition("[o.o.n.Node               ] started")
    assert started  # what other tests make of the node is not the start's
    about = re.compile(r"\]\[(WARN|ERROR) *\].*(\[rankside\]|org\.rankside|o\.r\.|rankside\.)")
    assert [line for line in start.splitlines() if about.search(line)] == []


def test_the_security_agent_lets_the_plugin_call_the_sidecar(
    opensearch: OpenSearch, plugin_node: RunningNode, sidecar: str, articles: Articles
) -> None:
    assert b"-javaagent:" in Path(f"/proc/{plugin_node.pid}/cmdline").read_bytes()
    put_pipeline(opensearch, "under-the-agent", url=[sidecar], timeout="30s")
    body = {"query": {"match": {"text": "winter frost"}}}
    answer = search(opensearch, articles.index, body, pipeline="under-the-agent")
    assert answer.said["status"] == "reranked"


def test_the_plugin_has_its_node_settings_and_keystore_entries(
    start_plugin_node: Callable[..., RunningNode],
) -> None:
    node = start_plugin_node(settings={"rankside.max_in_flight": 3}, keys={"main": "secret"})
    with OpenSearch(node.url) as client:
        settings = client.nodes.info(metric="settings", flat_settings=True)["nodes"]
    assert [one["settings"]["rankside.max_in_flight"] for one in settings.values()] == ["3"]
    # An entry that nobody knows would have stopped the start.
    assert (node.home / "config" / "opensearch.keystore").stat().st_size > 0
    assert "secret" not in node.log.read_text("utf-8")


def test_the_articles_are_there_with_vectors_of_the_sidecars_model(
    opensearch: OpenSearch, articles: Articles, articles_in_shards: Articles, sidecar: str
) -> None:
    with urllib.request.urlopen(f"{sidecar}/health/ready", timeout=30) as answer:
        assert answer.status == 200
    for made, shards in ((articles, 1), (articles_in_shards, 3)):
        counted = opensearch.count(index=made.index)
        assert (counted["count"], counted["_shards"]["total"]) == (200, shards)
        mapping = opensearch.indices.get_mapping(index=made.index)[made.index]["mappings"]
        assert mapping["_meta"]["rankside"]["fingerprint"] == made.meta.fingerprint
        assert nearest(opensearch, made, "17") == "17"
    words = {hit["_id"] for hit in found(opensearch, articles, {"match": {"text": "winter frost"}})}
    assert words == {str(number) for number in range(50, 75)}


def nearest(client: OpenSearch, made: Articles, id_: str) -> str:
    near = {made.meta.vector_field: {"vector": made.vectors[id_].tolist(), "k": 1}}
    return str(found(client, made, {"knn": near})[0]["_id"])


def found(client: OpenSearch, made: Articles, query: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"query": query, "size": 50, "_source": False}
    return list(client.search(index=made.index, body=body)["hits"]["hits"])
