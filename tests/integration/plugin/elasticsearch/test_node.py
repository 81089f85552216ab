"""The plugin on a real node: it loads, has its settings, and leaves nothing to complain about."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable

import pytest
from elasticsearch import Elasticsearch

from deploy.local import RunningNode
from plugin.ranking.errors import LocalEngineError
from tests.integration.plugin.shared import Articles

StartNode = Callable[..., RunningNode]


def test_the_node_has_the_plugin(elasticsearch: Elasticsearch) -> None:
    listed = {row["component"]: row for row in elasticsearch.cat.plugins(format="json")}
    assert listed["rankside"]["version"] == "0.1.0"


def test_no_warning_of_the_start_is_about_the_plugin(plugin_node: RunningNode) -> None:
    log = plugin_node.log.read_text("utf-8")
    assert "loaded plugin [rankside]" in log
    start, started, _ = log.partition("[o.e.n.Node               ] started")
    assert started  # what other tests make of the node is not the start's
    about = re.compile(r"\]\[(WARN|ERROR) *\].*(\[rankside\]|org\.rankside|o\.r\.|rankside\.)")
    assert [line for line in start.splitlines() if about.search(line)] == []


def test_the_plugin_has_its_node_settings_and_its_key(start_plugin_node: StartNode) -> None:
    node = start_plugin_node(
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        settings={"rankside.max_in_flight": 3},
        api_key="very-secret",
    )
    with Elasticsearch(node.url) as client:
        info = client.nodes.info(metric="settings", flat_settings=True)
        (known,) = [one["settings"] for one in info["nodes"].values()]
        (stats,) = client.perform_request("GET", "/_rankside/stats").body["nodes"].values()
    assert known["rankside.sidecar.url"] == ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    assert (known["rankside.max_in_flight"], stats["max_in_flight"]) == ("3", 3)
    assert "very-secret" not in str(known) + node.log.read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("rankside.sidecar.url", "127.0.0.1:80", "rankside.sidecar.url: url [127.0.0.1:80] "),
        ("rankside.max_in_flight", 0, "Failed to parse value [0] for setting [rankside.max_in_fl"),
        ("rankside.sidecar.urls", "x", "unknown setting [rankside.sidecar.urls]"),
    ],
)
def test_a_wrong_setting_stops_the_start_by_its_name(
    start_plugin_node: StartNode, setting: str, value: object, sentence: str
) -> None:
    with pytest.raises(LocalEngineError, match=re.escape(sentence)):
        start_plugin_node(settings={setting: value})


def test_the_articles_are_there_with_vectors_of_the_sidecars_model(
    elasticsearch: Elasticsearch, articles: Articles, articles_in_shards: Articles, sidecar: str
) -> None:
    with urllib.request.urlopen(f"{sidecar}/health/ready", timeout=30) as answer:
        assert answer.status == 200
    for made, shards in ((articles, 1), (articles_in_shards, 3)):
        counted = elasticsearch.count(index=made.index)
        assert (counted["count"], counted["_shards"]["total"]) == (200, shards)
        mapping = elasticsearch.indices.get_mapping(index=made.index)[made.index]["mappings"]
        assert mapping["_meta"]["rankside"]["fingerprint"] == made.meta.fingerprint
        assert nearest(elasticsearch, made, "17") == "17"


def nearest(client: Elasticsearch, made: Articles, id_: str) -> str:
    vector = made.vectors[id_].tolist()
    knn = {"field": made.meta.vector_field, "query_vector": vector, "k": 1, "num_candidates": 50}
    return str(client.search(index=made.index, knn=knn)["hits"]["hits"][0]["_id"])
