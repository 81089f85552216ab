from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from connectors.engine import EngineKind
from connectors.index import VectorField
from connectors.rescore import Place
from connectors.target import Target
from connectors.window import (
    Wanted,
    WindowHit,
    add_vectors,
    sound_vector,
    vector_fields,
    window_body,
    window_hits,
    window_params,
    window_search,
)
from plugin.ranking.hits import Hit
from tests.unit.connectors.fakes import FakeEngine

TARGET = Target(
    text_fields=("title", "text"),
    vector_field="v",
    vectors=VectorField(2, exact_knn=True, quantized=False),
    fingerprint="f" * 16,
    hash_field="h",
    indices=frozenset({"i"}),
    lacking=(),
)
OS, ES = EngineKind.OPENSEARCH, EngineKind.ELASTICSEARCH


def raw(id_: str, score: float | None = 1.0, **parts: Any) -> dict[str, Any]:
    return {"_index": "i", "_id": id_, "_score": score, **parts}


def test_a_window_search_is_the_first_stage_and_nothing_else() -> None:
    first_stage = {
        "query": {"match": {"text": "x"}},
        "knn": {"field": "v"},
        "post_filter": {"term": {"a": 1}},
        "min_score": 0.5,
        "rescore": {"window_size": 3},
        "runtime_mappings": {"r": {"type": "long"}},
        "pit": {"id": "p"},
        "timeout": "1s",
    }
    rest = {
        "aggs": {}, "highlight": {}, "suggest": {}, "sort": ["_score"], "from": 30, "size": 3,
        "_source": ["other"], "fields": ["*"], "docvalue_fields": ["d"], "script_fields": {},
        "explain": True, "profile": True, "track_total_hits": 5, "stored_fields": ["s"],
        "version": True, "ext": {}, "search_pipeline": "mine",
    }  # fmt: skip
    body = window_body({**first_stage, **rest}, 7, {"_source": ["text"]}, TARGET)
    added = {"from": 0, "size": 7, "track_total_hits": False, "_source": ["text"]}
    assert body == {**first_stage, **added, "docvalue_fields": ["h"]}


def test_parameters_of_the_first_stage() -> None:
    given = {"routing": "r", "q": "x", "size": 3, "from": 1, "scroll": "1m", "typed_keys": True}
    assert window_params(ES, given) == {"routing": "r", "q": "x"}
    assert window_params(OS, {**given, "search_pipeline": "mine"}) == {
        "routing": "r",
        "q": "x",
        "search_pipeline": "_none",
    }


def test_vectors_are_asked_for_where_each_engine_has_them() -> None:
    assert vector_fields(OS, "v") == {"_source": False, "fields": ["v"]}
    assert vector_fields(ES, "v") == {"_source": False, "docvalue_fields": ["v"]}


@pytest.mark.parametrize(("kind", "form"), [(OS, "fields"), (ES, "docvalue_fields")])
async def test_a_vector_that_is_added_says_what_it_is_of(kind: EngineKind, form: str) -> None:
    """A hit of the user's response has no fingerprint, and its vector may be another model's."""
    fields = {"v": [[0.6, 0.8]], "h": ["other:hash"]}
    engine = FakeEngine(lambda *_: {"hits": {"hits": [raw("1", fields=fields)]}}, kind)
    bare = [WindowHit(Place("i", id_), Hit(f"i/{id_}", 1.0, None)) for id_ in ("1", "gone")]
    added = await add_vectors(engine, "i", bare, TARGET)
    assert [one.fingerprint for one in added] == ["other", None]
    assert [one.hit.vector is not None for one in added] == [True, False]
    (_, body, _) = engine.requests[0]
    assert "v" in body[form]
    assert "h" in body["docvalue_fields"]


@pytest.mark.parametrize("value", [[0.6, 0.8], [[0.6, 0.8]]], ids=["opensearch", "elasticsearch"])
def test_a_sound_vector(value: Any) -> None:
    vector = sound_vector(value, TARGET)
    assert vector is not None
    assert vector.dtype == np.float32
    assert vector == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [0.6],
        [0.6, 0.8, 0.1],
        [0.0, 0.0],
        [float("nan"), 1.0],
        [1e39, 0.0],
        "x",
        ["x", "y"],
        [{}, 1],
    ],
)
def test_a_vector_that_cannot_be_used(value: Any) -> None:
    assert sound_vector(value, TARGET) is None


def test_hits_are_put_together_from_what_each_search_has_of_them() -> None:
    ordered = [raw("a", 3.0), raw("b", 2.0), raw("c", None)]
    fetched = [
        raw("b", 2.0, _source={"title": "B", "text": "bee"}),
        raw("a", 3.0, _source={"text": "ay"}),
        raw("a", 3.0, fields={"v": [0.6, 0.8]}),
        raw("z", 1.0, _source={"text": "not of the window"}),
    ]
    hits = window_hits(ordered, fetched, TARGET)
    assert [one.hit.id for one in hits] == ["i/a", "i/b", "i/c"]
    assert [one.hit.text for one in hits] == ["ay", "B\nbee", None]
    assert [one.hit.score for one in hits] == [3.0, 2.0, 0.0]
    assert [one.hit.vector is not None for one in hits] == [True, False, False]


def test_a_hit_that_comes_twice_is_one() -> None:
    hits = window_hits([raw("a", 3.0), raw("b", 2.0), raw("a", 1.0)], (), TARGET)
    assert [(one.place, one.hit.score) for one in hits] == [
        (Place("i", "a"), 3.0),
        (Place("i", "b"), 2.0),
    ]


def test_what_the_hash_field_says() -> None:
    ordered = [raw("a", fields={"h": ["f" * 16 + ":12"]}), raw("b", fields={}), raw("c")]
    assert [one.fingerprint for one in window_hits(ordered, (), TARGET)] == ["f" * 16, "", ""]


def test_a_book_is_cut() -> None:
    book = raw("a", _source={"text": "word " * 100_000})
    (hit,) = window_hits([book], [book], TARGET)
    assert len(hit.hit.text or "") == 65_536


async def sizes_asked(wanted: Wanted) -> list[tuple[int, Any]]:
    engine = FakeEngine(lambda *_: {"hits": {"hits": []}})
    await window_search(engine, "i", {"query": {}}, wanted, TARGET)
    return [(body["size"], body["_source"]) for _, body, _ in engine.requests]


async def test_no_more_is_searched_for_than_is_wanted() -> None:
    text = ["title", "text"]
    assert await sizes_asked(Wanted(5, 5)) == [(5, text)]
    assert await sizes_asked(Wanted(5, 100)) == [(5, text), (100, False)]
    assert await sizes_asked(Wanted(0, 100)) == [(100, False)]
    assert await sizes_asked(Wanted(5, 100, 3)) == [(5, text), (100, False), (3, False)]
