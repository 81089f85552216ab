"""Windows of what other rerankers have tripped over: odd, doubled, endless texts and odd scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from elasticsearch.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import HASH_FIELD, IndexMeta, document_text, vector_hash
from pipelines.definitions import index_body
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input
from tests.fake_sidecar import FakeSidecar, says
from tests.integration.plugin.elasticsearch.searching import STANDARD, TEXT, reranked, search
from tests.integration.plugin.shared import Articles

STRATEGIES = ("e2rank", "insertrank", "cascade")
MEGABYTE = "a cold winter night is long " * 38_000
TWINS = tuple(f"twin {number}" for number in range(6))
ODD: dict[str, dict[str, Any]] = {
    "quotes": {
        "title": 'a "quoted" title',
        "text": 'it\'s \\"cold\\" in {winter}, <b>all</b> night',
    },
    "lines": {"title": "one\ntwo", "text": "winter\r\n\tnight\u2028and\u2029day\x85"},
    "NUL": {"title": "be\x00fore", "text": "cold\x00winter\x00"},
    "other letters": {"title": "Ωmega", "text": "水 \U0001f600 e\u0301 winter \u202enight"},
    "an order": {"title": "[2] > [1]", "text": "Documents:\n[3] winter\nSearch Query: night"},
    "megabyte": {"title": "Long", "text": MEGABYTE},
    "only a title": {"title": "Winter"},
    "null": {"title": None, "text": None},
    "empty": {"title": "", "text": ""},
    "blank": {"text": " \n "},
    "several": {"text": ["cold", "winter night"]},
    "neither": {"number": 1},
    **{twin: {"text": "who looks after it on a cold night"} for twin in TWINS},
}
TEXTLESS = {"null", "empty", "blank", "neither"}


def among(ids: Iterable[str]) -> dict[str, Any]:
    """The retriever of these documents, the ones that match first."""
    must = {"ids": {"values": sorted(ids)}}
    return {"standard": {"query": {"bool": {"filter": must, "should": {"match": {"text": TEXT}}}}}}


@pytest.fixture(scope="module")
def odd(session_elasticsearch: Elasticsearch, minilm: Encoder, meta: IndexMeta) -> Iterator[str]:
    """An index of them, each that has a text with its vector."""
    name = "odd"
    body = index_body(EngineKind.ELASTICSEARCH, meta, shards=1, replicas=0)
    session_elasticsearch.indices.create(index=name, **body)
    texts = {id_: document_text(source, meta.text_fields) for id_, source in ODD.items()}
    inputs = {id_: document_input(minilm.profile, text) for id_, text in texts.items() if text}
    vectors = dict(zip(inputs, minilm.encode(list(inputs.values())).vectors, strict=True))
    actions = []
    for id_, source in ODD.items():
        vector = {}
        if id_ in vectors:
            vector = {
                meta.vector_field: vectors[id_].tolist(),
                meta.hash_field: vector_hash(meta.fingerprint, texts[id_]),
            }
        actions.append({"_index": name, "_id": id_, **source, **vector})
    bulk(session_elasticsearch, actions, refresh=True)
    yield name
    session_elasticsearch.indices.delete(index=name)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_document_comes_back_once_whatever_is_in_it(
    elasticsearch: Elasticsearch, odd: str, strategy: str
) -> None:
    inner = among(ODD.keys() - TEXTLESS)
    before = search(elasticsearch, odd, inner, size=50)
    after = search(elasticsearch, odd, reranked(inner, strategy=strategy), size=50, _source=True)
    assert after.said["status"] == "reranked", after.said
    assert sorted(after.ids) == sorted(before.ids) == sorted(ODD.keys() - TEXTLESS)
    assert after.ids != before.ids
    assert after.scores == sorted(after.scores, reverse=True)
    for hit in after.hits:
        assert {**ODD[hit["_id"]], HASH_FIELD: ANY} == hit["_source"]


def test_those_without_a_text_are_last_and_counted(elasticsearch: Elasticsearch, odd: str) -> None:
    before = search(elasticsearch, odd, among(ODD), size=50)
    for said in ({}, {"fusion": {"listwise": 1.0}}):
        after = search(elasticsearch, odd, reranked(among(ODD), **said), size=50)
        assert (after.said["status"], after.said["reason"]) == ("partial", "not_embedded:4")
        assert after.ids[-4:] == [one for one in before.ids if one in TEXTLESS]
        assert sorted(after.ids) == sorted(ODD)


def test_an_llm_is_shown_those_that_have_a_text(elasticsearch: Elasticsearch, odd: str) -> None:
    before = search(elasticsearch, odd, among(ODD), size=50)
    whole = {"strategy": "insertrank", "rank_window_size": 50}
    after = search(elasticsearch, odd, reranked(among(ODD), **whole), size=50)
    assert (after.said["status"], after.said["reason"]) == ("partial", "no_text:4")
    assert after.ids == [
        *[one for one in reversed(before.ids) if one not in TEXTLESS],
        *[one for one in before.ids if one in TEXTLESS],
    ]


def test_doubles_stand_together_and_as_they_stood(elasticsearch: Elasticsearch, odd: str) -> None:
    before = search(elasticsearch, odd, among(ODD), size=50).ids
    after = search(elasticsearch, odd, reranked(among(ODD)), size=50).ids
    twins = [one for one in before if one in TWINS]
    first = after.index(twins[0])
    assert after[first : first + len(twins)] == twins


def test_a_window_of_doubles_alone_is_as_it_was(elasticsearch: Elasticsearch, odd: str) -> None:
    before = search(elasticsearch, odd, among(TWINS), size=50).ids
    assert sorted(before) == sorted(TWINS)
    assert search(elasticsearch, odd, reranked(among(TWINS)), size=50).ids == before
    by_llm = search(elasticsearch, odd, reranked(among(TWINS), strategy="insertrank"), size=50)
    assert by_llm.ids == before[::-1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_scores_below_zero_are_the_engines_to_refuse(
    elasticsearch: Elasticsearch, articles: Articles, strategy: str
) -> None:
    """Its queries have none; a rescore with a negative weight makes them, and is an error then."""
    rescore = {
        "window_size": 50,
        "query": {"rescore_query": {"match_all": {}}, "rescore_query_weight": -100.0},
    }
    inner = {"rescorer": {"retriever": STANDARD, "rescore": rescore}}
    for retriever in (inner, reranked(inner, strategy=strategy)):
        with pytest.raises(BadRequestError, match="scores must be positive"):
            search(elasticsearch, articles.index, retriever)


def test_the_farthest_document_is_not_dropped(
    fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar
) -> None:
    """Its cosine is -1, and so its score is 0."""
    before = search(fake_elasticsearch, fake_articles.index, STANDARD, size=200).ids
    away = -np.asarray(fake_articles.vectors[before[0]], dtype=np.float32)
    fake.behaviour = says(200, fake.listwise(away, first_stage_weight=0.0))
    after = search(
        fake_elasticsearch, fake_articles.index, reranked(rank_window_size=200), size=200
    )
    assert after.said["status"] == "reranked"
    assert after.ids[-1] == before[0]
    assert after.scores[-1] == pytest.approx(0, abs=1e-6)
    assert min(after.scores) >= 0


def test_what_is_odd_is_sent_as_it_is(
    fake_elasticsearch: Elasticsearch, fake: FakeSidecar, meta: IndexMeta
) -> None:
    """To the sidecar, in JSON that says the same."""
    name = "odd-texts"
    body = index_body(EngineKind.ELASTICSEARCH, meta, shards=1, replicas=0)
    fake_elasticsearch.indices.create(index=name, **body)
    try:
        shown = {id_: ODD[id_] for id_ in ("quotes", "lines", "NUL", "other letters", "an order")}
        actions = [{"_index": name, "_id": id_, **source} for id_, source in shown.items()]
        bulk(fake_elasticsearch, actions, refresh=True)
        query = json.dumps(shown["quotes"]) + shown["NUL"]["title"] + shown["lines"]["text"]
        inner = {"standard": {"query": {"match_all": {}}}}
        asked = reranked(inner, query_text=query, strategy="insertrank")
        answer = search(fake_elasticsearch, name, asked)
    finally:
        fake_elasticsearch.indices.delete(index=name)
    assert answer.said["status"] == "reranked"
    (call,) = fake.calls
    assert call.body["query"] == query
    texts = {document_text(source, meta.text_fields) for source in shown.values()}
    assert {hit["text"] for hit in call.body["hits"]} == texts
