from __future__ import annotations

from typing import Any

import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from ingest.index import Index, check_meta, meta_for, missing_fields
from pipelines.definitions import mapping_properties
from pipelines.options import PipelineOptions
from plugin.ranking.errors import SettingsError

META = IndexMeta(fingerprint="f1", model="words", revision="1", dimensions=16)
KINDS = pytest.mark.parametrize("kind", list(EngineKind))


class Maker:
    """A maker of vectors, as far as an index is concerned."""

    fingerprint, model, revision, dimensions, parallel = "f1", "words", "1", 16, 1

    async def embed(self, _texts: Any) -> Any:
        raise AssertionError("an index needs no vectors to be looked at")

    async def close(self) -> None:
        pass


def index_with(meta: IndexMeta | None, properties: dict[str, Any] | None = None) -> Index:
    mappings: dict[str, Any] = {"properties": properties or {}}
    if meta is not None:
        mappings["_meta"] = meta.to_mapping()
    return Index("books", "books", {}, mappings, {"uuid": "u"})


def test_names_are_the_index_s_unless_given_and_else_the_settings() -> None:
    there = META.model_copy(update={"vector_field": "vec", "text_fields": ("body",)})
    layout = PipelineOptions(text_fields=("abstract",), vector_field="v", hash_field="h")

    kept = meta_for(index_with(there), Maker(), layout)
    changed = meta_for(index_with(there), Maker(), layout, text_fields=["title"], vector_field="w")
    new = meta_for(None, Maker(), layout)

    assert (kept.vector_field, kept.text_fields) == ("vec", ("body",))
    assert (changed.vector_field, changed.text_fields) == ("w", ("title",))
    assert (new.vector_field, new.hash_field, new.text_fields) == ("v", "h", ("abstract",))
    assert new.fingerprint == "f1"


def test_an_index_that_is_ours_or_nobody_s_may_be_written() -> None:
    check_meta(index_with(META), META)
    check_meta(index_with(None), META)
    check_meta(index_with(META.model_copy(update={"fingerprint": ""})), META)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"fingerprint": "f2", "model": "other"}, "holds vectors of other 1"),
        ({"fingerprint": "", "model": "other"}, "being re-embedded with other"),
        ({"vector_field": "vec"}, "vector_field vec and not rankside_vector"),
        ({"text_fields": ("body",)}, "text_fields body and not title,text"),
    ],
)
def test_an_index_of_another_model_or_other_fields_is_refused(
    there: dict[str, Any], why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        check_meta(index_with(META.model_copy(update=there)), META)


@KINDS
def test_fields_that_are_missing_are_named(kind: EngineKind) -> None:
    whole = mapping_properties(kind, META)
    part = {name: mapping for name, mapping in whole.items() if name != META.hash_field}

    assert missing_fields(kind, index_with(None, whole), META) == []
    assert missing_fields(kind, index_with(None, part), META) == [META.hash_field]
    assert missing_fields(kind, index_with(None), META) == [META.vector_field, META.hash_field]


@KINDS
def test_a_dotted_field_is_found_in_its_object(kind: EngineKind) -> None:
    meta = META.model_copy(update={"vector_field": "ours.vector", "hash_field": "ours.hash"})

    assert missing_fields(kind, index_with(None, mapping_properties(kind, meta)), meta) == []


@KINDS
@pytest.mark.parametrize(
    ("field", "mapping", "why"),
    [
        (META.vector_field, {"type": "float"}, "is float, not"),
        (META.hash_field, {"type": "text"}, "is text, not keyword"),
    ],
)
def test_a_field_of_another_kind_is_refused(
    kind: EngineKind, field: str, mapping: dict[str, Any], why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        missing_fields(kind, index_with(None, {field: mapping}), META)


@KINDS
def test_a_vector_of_another_length_is_refused(kind: EngineKind) -> None:
    properties = mapping_properties(kind, META.model_copy(update={"dimensions": 8}))

    with pytest.raises(SettingsError, match="has 8 dimensions and words makes 16"):
        missing_fields(kind, index_with(None, properties), META)
