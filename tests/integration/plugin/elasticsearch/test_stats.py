"""``GET /_rankside/stats`` on a real node; what is counted there, the tests of searches show."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch


def test_it_has_the_shape_of_the_engines_own(elasticsearch: Elasticsearch) -> None:
    shown, own = stats(elasticsearch), elasticsearch.nodes.stats(metric="http")
    assert shown["_nodes"] == own["_nodes"] == {"total": 1, "successful": 1, "failed": 0}
    assert shown["cluster_name"] == own["cluster_name"]
    names = {id_: node["name"] for id_, node in own["nodes"].items()}
    assert {id_: node["name"] for id_, node in shown["nodes"].items()} == names
    (node,) = shown["nodes"].values()
    together = shown["_all"]
    assert together.keys() == {"calls", "searches", "latency_ms"}
    assert {key: node[key] for key in together} == together
    assert node["max_in_flight"] == 64


def test_nodes_are_chosen_as_elsewhere(elasticsearch: Elasticsearch) -> None:
    (id_,) = stats(elasticsearch)["nodes"]
    for chosen, found in ((id_, 1), ("_local", 1), ("master:true", 1), ("another", 0)):
        shown = stats(elasticsearch, f"/_rankside/{chosen}/stats")
        assert (shown["_nodes"]["total"], len(shown["nodes"])) == (found, found)


def stats(client: Elasticsearch, path: str = "/_rankside/stats") -> dict[str, Any]:
    return dict(client.perform_request("GET", path).body)
