from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import BrokenRecord, Position, Row, SourceDocument, document_of

PLACE = Position(part=0, lines=7, offset=90, line=7, file="corpus.jsonl")


@pytest.mark.parametrize(
    ("fields", "id_"),
    [
        ({"_id": "a", "id": "b"}, "a"),
        ({"_id": "", "id": "b"}, "b"),
        ({"_id": None, "id": 7}, "7"),
        ({"id": 0}, "0"),
    ],
)
def test_the_id_is_the_first_field_that_has_one(fields: dict[str, Any], id_: str) -> None:
    document = document_of(Row(fields, PLACE))

    assert isinstance(document, SourceDocument)
    assert (document.id, document.derived_id) == (id_, False)
    assert "_id" not in document.fields


@given(st.text(max_size=20), st.integers(1, 1000), st.integers(1, 1000))
def test_an_id_is_derived_from_file_and_line_and_nothing_else(
    file: str, line: int, other: int
) -> None:
    def derived(line: int, **fields: Any) -> str:
        document = document_of(Row(fields, Position(line=line, file=file)))
        assert isinstance(document, SourceDocument)
        assert document.derived_id
        return document.id

    assert derived(line, text="a") == derived(line, text="b")
    assert (derived(line) == derived(other)) == (line == other)


@pytest.mark.parametrize("value", [True, 1.5, ["a"], {"a": 1}])
def test_an_id_of_another_kind_is_broken(value: object) -> None:
    record = document_of(Row({"key": value}, PLACE), ["key"])

    assert isinstance(record, BrokenRecord)
    assert "'key' is no string or whole number" in record.reason


def test_an_id_that_no_engine_takes_is_broken() -> None:
    record = document_of(Row({"id": "é" * 257}, PLACE))

    assert isinstance(record, BrokenRecord)
    assert "512 bytes" in record.reason
