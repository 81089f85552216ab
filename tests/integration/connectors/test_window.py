"""The window search on both engines: what it fetches, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from connectors.engine import Engine, EngineKind
from connectors.index import IndexCatalogue
from connectors.rescore import by_knn
from connectors.search import SearchOptions
from connectors.target import Target, find_target, known_text_fields
from connectors.window import (
    Wanted,
    WindowHit,
    add_texts,
    add_vectors,
    clause_scores,
    window_search,
)
from tests.integration.connectors.conftest import WITHOUT_TITLE, WITHOUT_VECTOR, Stored, documents

BODY = {
    "query": {"match": {"text": "cold water"}},
    "aggs": {"places": {"terms": {"field": "place"}}},
    "highlight": {"fields": {"text": {}}},
    "_source": ["number"],
    "from": 7,
    "size": 2,
}


@pytest.fixture
async def target(engine: Engine, stored: Stored) -> Target:
    return await find_target(engine, IndexCatalogue(), stored.name, SearchOptions())


async def window(
    engine: Engine, stored: Stored, target: Target, wanted: Wanted, **extra: Any
) -> list[WindowHit]:
    return await window_search(engine, stored.name, {**BODY, **extra}, wanted, target)


async def test_texts_hits_and_vectors_are_fetched_in_the_numbers_asked(
    engine: Engine, stored: Stored, target: Target
) -> None:
    plain = await engine.search(stored.name, {"query": BODY["query"], "size": 30})
    hits = await window(engine, stored, target, Wanted(texts=5, hits=30, vectors=2))
    assert [one.place.id for one in hits] == [hit["_id"] for hit in plain["hits"]["hits"]]
    assert [one.hit.score for one in hits] == [hit["_score"] for hit in plain["hits"]["hits"]]
    assert [one.hit.text is not None for one in hits] == [True] * 5 + [False] * 25
    for one in hits[:2]:
        assert one.hit.vector is not None
        assert one.hit.vector == pytest.approx(stored.vectors[one.place.id], abs=1e-6)
    assert all(one.hit.vector is None for one in hits[2:])


async def test_vectors_do_not_travel_unless_asked_for(
    engine: Engine, stored: Stored, target: Target
) -> None:
    hits = await window(engine, stored, target, Wanted(texts=48, hits=48))
    assert len(hits) == 48
    assert all(one.hit.vector is None for one in hits)


async def test_what_a_hit_is_embedded_by(engine: Engine, stored: Stored, target: Target) -> None:
    hits = await window(engine, stored, target, Wanted(texts=0, hits=48))
    marks = {one.place.id: one.fingerprint for one in hits}
    fingerprint = stored.meta.fingerprint
    assert marks == {id_: "" if id_ in WITHOUT_VECTOR else fingerprint for id_ in documents()}


async def test_the_text_is_what_was_embedded_and_a_missing_field_is_none_of_it(
    engine: Engine, stored: Stored, target: Target
) -> None:
    hits = await window(engine, stored, target, Wanted(texts=48, hits=48))
    texts = {one.place.id: one.hit.text for one in hits}
    source = documents()
    assert texts["0"] == f"{source['0']['title']}\n{source['0']['text']}"
    assert texts[WITHOUT_TITLE] == source[WITHOUT_TITLE]["text"]


async def test_ids_say_their_index(engine: Engine, stored: Stored, target: Target) -> None:
    hits = await window(engine, stored, target, Wanted(texts=1, hits=1))
    assert hits[0].hit.id == f"{stored.name}/{hits[0].place.id}"


async def test_filters_of_the_first_stage_count(
    engine: Engine, stored: Stored, target: Target
) -> None:
    hits = await window(
        engine, stored, target, Wanted(0, 48), post_filter={"range": {"number": {"lt": 10}}}
    )
    assert sorted(int(one.place.id) for one in hits) == list(range(10))


async def test_texts_vectors_and_scores_of_hits_found_otherwise(
    engine: Engine, stored: Stored, target: Target
) -> None:
    bare = await window(engine, stored, target, Wanted(texts=0, hits=48))
    named = await add_texts(engine, stored.name, bare[:4], target)
    assert [one.place for one in named] == [one.place for one in bare[:4]]
    assert all(one.hit.text for one in named)
    fed = await add_vectors(engine, stored.name, bare, target)
    found = {one.place.id: one.hit.vector for one in fed}
    assert {id_ for id_, vector in found.items() if vector is None} == WITHOUT_VECTOR
    query = next(iter(stored.vectors.values()))
    places = [one.place for one in bare[:20]]
    clause = by_knn(
        engine.kind, target.vector_field, query, places, quantized=target.vectors.quantized
    )
    scores = await clause_scores(engine, stored.name, places, clause)
    assert {place.id for place in scores} == {place.id for place in places} - WITHOUT_VECTOR
    for place, score in scores.items():
        assert score == pytest.approx(1 + float(stored.vectors[place.id] @ query), abs=1e-5)


async def test_a_target_is_read_from_the_mapping(
    engine: Engine, stored: Stored, target: Target
) -> None:
    assert target.fingerprint == stored.meta.fingerprint
    assert target.text_fields == ("title", "text")
    assert target.hash_field == "rankside_hash"
    assert target.vectors.dimensions == stored.meta.dimensions
    assert target.vectors.exact_knn
    assert target.vectors.quantized is (engine.kind is EngineKind.ELASTICSEARCH)
    assert (target.indices, target.lacking) == ({stored.name}, ())
    assert await known_text_fields(engine, IndexCatalogue(), stored.name) == ("title", "text")


async def test_the_unit_of_the_script_is_measured(
    engine: Engine, stored: Stored, scratch: str
) -> None:
    """Since 2.19 OpenSearch's script gives half of what it gave; the local node is newer."""
    catalogue = IndexCatalogue()
    unit = await catalogue.script_unit(
        engine, stored.name, stored.meta.vector_field, stored.meta.dimensions
    )
    assert unit == (2.0 if engine.kind is EngineKind.OPENSEARCH else None)
    if unit is None:
        return
    await engine.request("PUT", f"/{scratch}")
    fresh = IndexCatalogue()
    assert await fresh.script_unit(engine, scratch, "rankside_vector", 4) == 1.0
    assert await fresh.script_unit(engine, stored.name, "rankside_vector", 384) == 2.0


async def test_stored_vectors_are_unit_vectors(stored: Stored) -> None:
    norms = [float(np.linalg.norm(vector)) for vector in stored.vectors.values()]
    assert norms == pytest.approx([1.0] * len(norms), abs=1e-5)
