from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.meta import IndexMeta, document_text, text_hash, vector_hash
from plugin.ranking.errors import SettingsError

# The Java client of the engine plugins runs the same cases.
CASES = json.loads((Path(__file__).parents[2] / "cases" / "document_text.json").read_text("utf-8"))
META = IndexMeta(fingerprint="f" * 16, model="m", dimensions=3)


def test_a_mapping_keeps_what_it_is_told() -> None:
    assert IndexMeta.of_mapping({"_meta": META.to_mapping()}) == META
    assert IndexMeta.of_mapping({"_meta": {"other": 1}}) is None
    assert IndexMeta.of_mapping({}) is None


@pytest.mark.parametrize("raw", [{}, {"dimensions": 0}, {"dimensions": "many"}, [], "x"])
def test_a_broken_meta_names_its_remedy(raw: Any) -> None:
    with pytest.raises(SettingsError, match="rankside apply"):
        IndexMeta.of_mapping({"_meta": {"rankside": raw}})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_text_of_a_document_and_its_hash(case: dict[str, Any]) -> None:
    text = document_text(case["source"], case["fields"])
    assert text == case["text"]
    assert vector_hash("f", text) == case["hash"]


def test_hashes_say_model_and_text() -> None:
    assert vector_hash("f" * 16, "x") == f"{'f' * 16}:{text_hash('x')}"
    assert text_hash("x") != text_hash("y")
    assert len(text_hash("\ud800")) == 16
