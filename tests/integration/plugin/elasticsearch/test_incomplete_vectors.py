"""Indices whose vectors are missing, of another model, or not described, through the retriever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import vector_hash
from pipelines.definitions import index_body
from tests.articles import FIELDS
from tests.integration.plugin.elasticsearch.searching import STANDARD, TEXT, reranked, search
from tests.integration.plugin.incomplete import mappings, said_of, same
from tests.integration.plugin.shared import Answer, Articles

WINDOW = 200  # all of them: no hit beyond it is returned
FUSION = {"fusion": {"query": 1.0}, "rank_window_size": WINDOW}

Store = Callable[..., str]


@pytest.fixture
def store(elasticsearch: Elasticsearch, articles: Articles) -> Iterator[Store]:
    """Makes an index of the articles; ``change`` gives or takes fields of each."""
    made = []

    def make(
        name: str,
        change: Callable[[str, dict[str, Any]], dict[str, Any]],
        mapping: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> str:
        body = index_body(
            EngineKind.ELASTICSEARCH, articles.meta, shards=1, replicas=0, extra=FIELDS
        )
        mapping(body["mappings"])
        elasticsearch.indices.create(index=name, **body)
        made.append(name)
        actions = (
            {"_index": name, "_id": one, **change(one, articles.document(one))}
            for one in articles.documents
        )
        bulk(elasticsearch, actions, refresh=True)
        return name

    yield make
    for name in made:
        elasticsearch.indices.delete(index=name)


def plain(engine: Elasticsearch, index: str) -> Answer:
    return search(engine, index, STANDARD, size=WINDOW)


def ranked(engine: Elasticsearch, index: str, **said: Any) -> Answer:
    return search(engine, index, reranked(**{**FUSION, **said}), size=WINDOW)


def left_out(
    engine: Elasticsearch, articles: Articles, before: list[str], without: set[str]
) -> list[str]:
    """The order where the hits ``without`` are not compared: they follow as they stood."""
    compared = [one for one in ranked(engine, articles.index).ids if one not in without]
    return compared + [one for one in before if one in without]


def test_a_document_without_a_vector_follows_in_first_stage_order(
    elasticsearch: Elasticsearch, articles: Articles, store: Store
) -> None:
    before = plain(elasticsearch, articles.index).ids
    bare = set(before[1:20:4])

    def change(id_: str, document: dict[str, Any]) -> dict[str, Any]:
        kept = {articles.meta.vector_field, articles.meta.hash_field}
        return {k: v for k, v in document.items() if id_ not in bare or k not in kept}

    after = ranked(elasticsearch, store("bare", change))
    assert after.said["status"] == "partial"
    assert after.said["reason"] == f"not_embedded:{len(bare)}"
    assert after.ids == left_out(elasticsearch, articles, before, bare)
    assert min(after.scores) >= 0


def test_a_vector_of_another_model_is_not_compared(
    elasticsearch: Elasticsearch, articles: Articles, store: Store
) -> None:
    before = plain(elasticsearch, articles.index).ids
    foreign = {before[0], before[5], before[45]}  # one of them beyond the prompt hits

    def change(id_: str, document: dict[str, Any]) -> dict[str, Any]:
        other = {articles.meta.hash_field: vector_hash("0123456789abcdef", "another text")}
        return {**document, **(other if id_ in foreign else {})}

    after = ranked(elasticsearch, store("foreign", change))
    assert after.said["status"] == "partial"
    assert after.said["reason"] == "stale_vector:2"
    assert after.ids == left_out(elasticsearch, articles, before, foreign)


def test_a_window_of_another_models_vectors_is_left_alone(
    elasticsearch: Elasticsearch, articles: Articles, store: Store
) -> None:
    def change(_: str, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, articles.meta.hash_field: vector_hash("0123456789abcdef", "text")}

    index = store("all-foreign", change)
    after = ranked(elasticsearch, index)
    assert (after.said["status"], after.said["reason"]) == ("passed_through", "stale_vectors")
    assert "rankside backfill" in after.said["detail"]
    assert after.hits == plain(elasticsearch, index).hits


MAPPINGS = mappings("dense_vector")


@pytest.mark.parametrize(("changed", "reason", "remedy"), MAPPINGS.values(), ids=MAPPINGS)
def test_what_the_mapping_says_is_believed(
    elasticsearch: Elasticsearch,
    articles: Articles,
    store: Store,
    changed: Mapping[str, Any],
    reason: str,
    remedy: str,
) -> None:
    index = store("said", same, said_of(articles, **changed))
    after = ranked(elasticsearch, index)
    assert (after.said["status"], after.said["reason"]) == ("passed_through", reason)
    assert remedy in after.said["detail"]
    assert after.hits == plain(elasticsearch, index).hits


def test_an_index_that_rankside_did_not_make_is_described_by_the_search(
    elasticsearch: Elasticsearch, articles: Articles, store: Store
) -> None:
    index = store("undescribed", same, said_of(articles))
    assert ranked(elasticsearch, index).said["reason"] == "no_text_fields"
    fields = {"text_fields": ["title", "text"], "vector_field": articles.meta.vector_field}
    said = ranked(elasticsearch, index, **fields)
    assert said.said["status"] == "reranked"
    assert said.ids == ranked(elasticsearch, articles.index).ids


def test_indices_of_two_models_are_not_mixed(
    elasticsearch: Elasticsearch, articles: Articles, store: Store
) -> None:
    other = store("other", same, said_of(articles, fingerprint="0123456789abcdef"))
    after = ranked(elasticsearch, f"{articles.index},{other}")
    assert after.said["reason"] == "mixed_indices"


def test_an_index_without_vectors_beside_one_with_them(
    elasticsearch: Elasticsearch, articles: Articles
) -> None:
    elasticsearch.indices.create(index="plain-text")
    try:
        elasticsearch.index(index="plain-text", id="only", document={"text": TEXT}, refresh=True)
        after = ranked(elasticsearch, f"{articles.index},plain-text")
        assert after.said["status"] == "partial"
        assert after.said["reason"] == "no_vectors_in:plain-text"
        assert "only" in after.ids
    finally:
        elasticsearch.indices.delete(index="plain-text")
