"""``GET /_rankside/stats`` on a real node: what it did, as it did it."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connectors.meta import IndexMeta
from tests.fake_sidecar import FakeSidecar, refuses, says
from tests.integration.plugin import counting
from tests.integration.plugin.counting import counted, searched
from tests.integration.plugin.elasticsearch.failing import Failing, ready
from tests.integration.plugin.elasticsearch.writing import Writer
from tests.integration.plugin.embedding import documents
from tests.integration.plugin.failing import await_true
from tests.integration.plugin.shared import Articles


@pytest.fixture
def failing(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> Failing:
    return ready(Failing(fake_elasticsearch, fake_articles.index), fake)


def test_a_reranked_search_and_its_call_are_counted(
    once: Elasticsearch, articles: Articles, sidecar: str
) -> None:
    counting.a_reranked_search_and_its_call_are_counted(Failing(once, articles.index), sidecar)


def test_a_search_passed_through_is_counted_by_its_reason(
    failing: Failing, fake: FakeSidecar
) -> None:
    for status, reason in ((500, "sidecar_rejected"), (429, "overloaded")):
        fake.behaviour = refuses(status)
        counting.a_search_passed_through_is_counted_by_its_reason(
            failing, fake.url, "listwise", reason
        )


def test_a_search_that_is_to_fail_is_counted_by_its_reason(
    failing: Failing, fake: FakeSidecar
) -> None:
    fake.behaviour = refuses(500)
    counting.a_search_that_is_to_fail_is_counted_by_its_reason(failing, "sidecar_rejected")


def test_a_search_reranked_in_part_is_counted_without_a_reason(
    failing: Failing, fake: FakeSidecar
) -> None:
    before = failing.stats()
    fake.behaviour = says(200, fake.listwise())  # which is no order
    answer = failing.reranked(strategy="cascade")
    assert "head_passed_through" in answer.said["reason"]
    after = failing.stats()
    assert searched(before, after) == {"partial": 1}
    assert counted(before, after, "calls", "listwise", "answered") == 1
    assert counted(before, after, "calls", "rank", "unusable_answer") == 1


def test_calls_for_documents_are_counted_and_have_circuits_of_their_own(
    once: Elasticsearch, articles: Articles, meta: IndexMeta, sidecar: str
) -> None:
    del articles  # is on the node
    searches, writer = Failing(once, "articles"), Writer(once, "counted")
    before = searches.stats()
    writer.prepare({"timeout": "60s"}, meta)
    try:
        items = writer.bulk(documents(100))
        assert {item["status"] for item in items.values()} == {201}
    finally:
        once.indices.delete(index=writer.index)
    after = searches.stats()
    called = counted(before, after, "calls", "embeddings", "answered")
    assert 0 < called < 100  # of up to 64 texts
    assert counted(before, after, "latency_ms", "embeddings", "count") == called
    assert counted(before, after, "latency_ms", "embeddings", "sum") > 0
    assert searched(before, after) == {}
    assert after["documents"]["circuits"] == {sidecar: "closed"}
    await_true(lambda: searches.stats()["documents"]["in_flight"] == 0)


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
