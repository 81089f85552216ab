"""Indices whose vectors are missing, of another model, or not described, through the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from opensearchpy import OpenSearch, RequestError
from opensearchpy.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import vector_hash
from pipelines.definitions import index_body
from tests.articles import FIELDS
from tests.integration.plugin.incomplete import mappings, said_of, same
from tests.integration.plugin.opensearch.conftest import Articles
from tests.integration.plugin.opensearch.searching import plain, put_pipeline, search

TEXT = "who looks after it on a cold winter night"
BODY = {"query": {"match": {"text": TEXT}}, "_source": False, "size": 200}
WINDOW = 100
FUSION = {"fusion": {"query": 1.0}, "window": WINDOW}
PIPELINE = "incomplete"

Store = Callable[..., str]


@pytest.fixture(autouse=True, scope="module")
def _pipeline(session_opensearch: OpenSearch, sidecar: str) -> None:
    put_pipeline(session_opensearch, PIPELINE, url=sidecar, timeout="30s")


@pytest.fixture
def store(opensearch: OpenSearch, articles: Articles) -> Iterator[Store]:
    """Makes an index of the articles; ``change`` gives or takes fields of each."""
    made = []

    def make(
        name: str,
        change: Callable[[str, dict[str, Any]], dict[str, Any]],
        mapping: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> str:
        body = index_body(EngineKind.OPENSEARCH, articles.meta, shards=1, replicas=0, extra=FIELDS)
        mapping(body["mappings"])
        opensearch.indices.create(index=name, body=body)
        made.append(name)
        actions = (
            {"_index": name, "_id": one, **change(one, articles.document(one))}
            for one in articles.documents
        )
        bulk(opensearch, actions, refresh=True)
        return name

    yield make
    for name in made:
        opensearch.indices.delete(index=name)


def reranked(engine: OpenSearch, index: str, **ext: Any) -> Any:
    return search(engine, index, BODY, pipeline=PIPELINE, ext={**FUSION, **ext})


def left_out(
    engine: OpenSearch, articles: Articles, before: list[str], without: set[str]
) -> list[str]:
    """The order where the hits ``without`` are not compared: they stand with those beyond."""
    whole = reranked(engine, articles.index).ids
    compared = [one for one in whole[:WINDOW] if one not in without]
    return compared + [one for one in before if one not in set(compared)]


def test_a_document_without_a_vector_follows_in_first_stage_order(
    opensearch: OpenSearch, articles: Articles, store: Store
) -> None:
    before = plain(opensearch, articles.index, BODY).ids
    bare = set(before[1:20:4])

    def change(id_: str, document: dict[str, Any]) -> dict[str, Any]:
        kept = {articles.meta.vector_field, articles.meta.hash_field}
        return {k: v for k, v in document.items() if id_ not in bare or k not in kept}

    index = store("bare", change)
    after = reranked(opensearch, index)
    assert after.said["status"] == "partial"
    assert after.said["reason"] == f"not_embedded:{len(bare)}"
    assert after.ids == left_out(opensearch, articles, before, bare)
    assert min(after.scores) >= 0


def test_a_vector_of_another_model_is_not_compared(
    opensearch: OpenSearch, articles: Articles, store: Store
) -> None:
    before = plain(opensearch, articles.index, BODY).ids
    foreign = {before[0], before[5], before[45]}  # one of them beyond the prompt hits

    def change(id_: str, document: dict[str, Any]) -> dict[str, Any]:
        other = {articles.meta.hash_field: vector_hash("0123456789abcdef", "another text")}
        return {**document, **(other if id_ in foreign else {})}

    after = reranked(opensearch, store("foreign", change))
    assert after.said["status"] == "partial"
    assert after.said["reason"] == "stale_vector:2"
    assert after.ids == left_out(opensearch, articles, before, foreign)


def test_a_window_of_another_models_vectors_is_left_alone(
    opensearch: OpenSearch, articles: Articles, store: Store
) -> None:
    def change(_: str, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, articles.meta.hash_field: vector_hash("0123456789abcdef", "text")}

    index = store("all-foreign", change)
    after = reranked(opensearch, index)
    assert (after.said["status"], after.said["reason"]) == ("passed_through", "stale_vectors")
    assert "rankside backfill" in after.said["detail"]
    assert after.hits == plain(opensearch, index, BODY).hits


MAPPINGS = mappings("knn_vector")


@pytest.mark.parametrize(("changed", "reason", "remedy"), MAPPINGS.values(), ids=MAPPINGS)
def test_what_the_mapping_says_is_believed(
    opensearch: OpenSearch,
    articles: Articles,
    store: Store,
    changed: Mapping[str, Any],
    reason: str,
    remedy: str,
) -> None:
    index = store("said", same, said_of(articles, **changed))
    after = reranked(opensearch, index)
    assert (after.said["status"], after.said["reason"]) == ("passed_through", reason)
    assert remedy in after.said["detail"]
    assert after.hits == plain(opensearch, index, BODY).hits


def test_an_index_that_rankside_did_not_make_is_described_by_the_pipeline(
    opensearch: OpenSearch, articles: Articles, store: Store
) -> None:
    index = store("undescribed", same, said_of(articles))
    unsaid = reranked(opensearch, index)
    assert unsaid.said["reason"] == "no_text_fields"
    said = reranked(
        opensearch,
        index,
        text_fields=["title", "text"],
        vector_field=articles.meta.vector_field,
    )
    assert said.said["status"] == "reranked"
    assert said.ids == reranked(opensearch, articles.index).ids


def test_indices_of_two_models_are_not_mixed(
    opensearch: OpenSearch, articles: Articles, store: Store
) -> None:
    other = store("other", same, said_of(articles, fingerprint="0123456789abcdef"))
    after = reranked(opensearch, f"{articles.index},{other}")
    assert after.said["reason"] == "mixed_indices"


def test_an_index_without_vectors_beside_one_with_them(
    opensearch: OpenSearch, articles: Articles
) -> None:
    opensearch.indices.create(index="plain-text")
    try:
        opensearch.index(index="plain-text", id="only", body={"text": TEXT}, refresh=True)
        after = reranked(opensearch, f"{articles.index},plain-text")
        assert after.said["status"] == "partial"
        assert after.said["reason"] == "no_vectors_in:plain-text"
        assert "only" in after.ids
    finally:
        opensearch.indices.delete(index="plain-text")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no address": ({}, "url is empty"),
    "no url": ({"url": "sidecar"}, "is not like http://127.0.0.1:8080"),
    "a password": ({"url": "http://me:secret@127.0.0.1:1"}, "belongs in the engine's keystore"),
    "no such key": (
        {"url": "http://127.0.0.1:1", "auth": "none"},
        "the keystore has no rankside.auth.none.key",
    ),
    "a typing error": ({"url": "http://127.0.0.1:1", "windw": 5}, "windw"),
    "a text for all": ({"url": "http://127.0.0.1:1", "query_text": "x"}, "query_text"),
}


@pytest.mark.parametrize(("parameters", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_pipeline_is_refused_when_it_is_made(
    opensearch: OpenSearch, parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence) as refused:
        put_pipeline(opensearch, "wrong", **parameters)
    assert refused.value.status_code == 400
    assert "secret" not in str(refused.value)
