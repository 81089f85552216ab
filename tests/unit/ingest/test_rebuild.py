from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from ingest.index import Index
from ingest.rebuild import new_body, new_name
from pipelines.definitions import mapping_properties
from pipelines.options import PipelineOptions

OLD = IndexMeta(fingerprint="f1", model="old", dimensions=8, vector_field="vec")
NEW = IndexMeta(fingerprint="f2", model="new", dimensions=16)
HEX = st.text("0123456789abcdef", min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("old", "fingerprint", "new"),
    [
        ("books", "0123456789abcdef", "books-01234567"),
        ("books-01234567", "89abcdef01234567", "books-89abcdef"),
        ("books-01234567", "0123456789abcdef", "books-01234567-2"),
        ("books-01234567-2", "0123456789abcdef", "books-01234567-3"),
        ("books-01234567-2", "89abcdef01234567", "books-89abcdef"),
        ("books-2026", "0123456789abcdef", "books-2026-01234567"),
    ],
)
def test_the_new_name_says_the_model(old: str, fingerprint: str, new: str) -> None:
    assert new_name(old, fingerprint) == new


@given(st.text("abc-012", min_size=1, max_size=20), st.lists(HEX, min_size=1, max_size=5))
def test_the_new_name_is_never_the_old_one_and_does_not_grow(name: str, prints: list[str]) -> None:
    longest = len(name) + len("-01234567-99")
    for fingerprint in prints:
        name, before = new_name(name, fingerprint), name
        assert name != before
        assert len(name) <= longest


@pytest.mark.parametrize("kind", list(EngineKind))
def test_the_new_index_is_like_the_old_one_but_for_its_vectors(kind: EngineKind) -> None:
    analyzed = {"type": "text", "analyzer": "standard"}
    extra = {"title": analyzed, "year": {"type": "long"}}
    properties = mapping_properties(kind, OLD, extra=extra)
    mappings = {
        "dynamic": "strict",
        "_meta": {**OLD.to_mapping(), "theirs": 1},
        "properties": properties,
    }
    settings = {
        "number_of_shards": "3",
        "analysis": {"analyzer": {}},
        "uuid": "u",
        "version": {"created": "1"},
        "creation_date": "1",
        "provided_name": "books",
        "refresh_interval": "5s",
        "blocks": {"write": "true"},
        "routing": {"allocation": {"initial_recovery": {"_id": "n"}, "require": {"box": "hot"}}},
    }
    old = Index("books", "books", {}, mappings, settings)

    body = new_body(kind, old, NEW, PipelineOptions())

    new = body["mappings"]
    assert new["dynamic"] == "strict"
    assert new["_meta"] == {**NEW.to_mapping(), "theirs": 1}
    assert new["properties"]["title"] == analyzed
    assert new["properties"]["year"] == {"type": "long"}
    assert "vec" not in new["properties"]
    assert new["properties"]["rankside_vector"] == mapping_properties(kind, NEW)["rankside_vector"]
    kept = {"number_of_shards": "3", "analysis": {"analyzer": {}}, "refresh_interval": "-1"}
    kept |= {"routing": {"allocation": {"require": {"box": "hot"}}}}
    if kind is EngineKind.OPENSEARCH:
        kept |= {"knn": True}
    assert body["settings"]["index"] == kept
    assert old.mappings["properties"] == properties
    assert "initial_recovery" in old.settings["routing"]["allocation"]
