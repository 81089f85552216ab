from __future__ import annotations

from typing import Any

import pytest

from connectors.meta import IndexMeta, document_text, text_hash, vector_hash
from plugin.ranking.errors import SettingsError

META = IndexMeta(fingerprint="f" * 16, model="m", dimensions=3)


def test_a_mapping_keeps_what_it_is_told() -> None:
    assert IndexMeta.of_mapping({"_meta": META.to_mapping()}) == META
    assert IndexMeta.of_mapping({"_meta": {"other": 1}}) is None
    assert IndexMeta.of_mapping({}) is None


@pytest.mark.parametrize("raw", [{}, {"dimensions": 0}, {"dimensions": "many"}, [], "x"])
def test_a_broken_meta_names_its_remedy(raw: Any) -> None:
    with pytest.raises(SettingsError, match="rankside apply"):
        IndexMeta.of_mapping({"_meta": {"rankside": raw}})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"title": "A", "text": "b"}, "A\nb"),
        ({"text": " b "}, "b"),
        ({"title": "", "text": "b"}, "b"),
        ({"title": ["A", "B"], "text": None}, "A B"),
        ({"title": ["A", None], "text": 3}, "A\n3"),
        ({"title": {"de": "A"}, "text": "b"}, "b"),
        ({}, ""),
    ],
)
def test_the_text_of_a_document(source: dict[str, Any], text: str) -> None:
    assert document_text(source, ("title", "text")) == text


def test_dotted_names_reach_into_objects_and_plain_ones_win() -> None:
    assert document_text({"a": {"b": "x"}}, ("a.b",)) == "x"
    assert document_text({"a.b": "y", "a": {"b": "x"}}, ("a.b",)) == "y"
    assert document_text({"a": "x"}, ("a.b",)) == ""


def test_hashes_say_model_and_text() -> None:
    assert vector_hash("f" * 16, "x") == f"{'f' * 16}:{text_hash('x')}"
    assert text_hash("x") != text_hash("y")
    assert len(text_hash("\ud800")) == 16
