from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import START, BrokenRecord, Row
from ingest.readers.jsonl import read_jsonl

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"])


def read(data: bytes, **options: Any) -> list[Row | BrokenRecord]:
    return list(read_jsonl(io.BytesIO(data), START, **options))


def written(objects: list[dict[str, Any]], ends: list[str], *, escaped: bool) -> bytes:
    texts = [json.dumps(value, ensure_ascii=escaped) for value in objects]
    return "".join(text + end for text, end in zip(texts, ends, strict=False)).encode()


@given(st.data(), OBJECTS, st.booleans(), st.booleans())
def test_objects_come_back_whatever_the_line_ends(
    data: st.DataObject, objects: list[dict[str, Any]], mark: bool, escaped: bool
) -> None:
    ends = data.draw(st.lists(ENDS, min_size=len(objects), max_size=len(objects)))
    content = (b"\xef\xbb\xbf" if mark else b"") + written(objects, ends, escaped=escaped)

    rows = read(content)

    assert [row.fields for row in rows if isinstance(row, Row)] == objects
    assert len(rows) == len(objects)


@given(st.data(), OBJECTS.filter(bool))
def test_reading_goes_on_behind_any_record(
    data: st.DataObject, objects: list[dict[str, Any]]
) -> None:
    ends = data.draw(st.lists(ENDS, min_size=len(objects), max_size=len(objects)))
    content = written(objects, ends, escaped=False)
    rows = read(content)
    done = data.draw(st.integers(1, len(rows)))
    stream = io.BytesIO(content)
    stream.seek(rows[done - 1].position.offset)

    rest = list(read_jsonl(stream, rows[done - 1].position))

    assert rest == rows[done:]


@given(st.binary(max_size=200).filter(lambda data: data[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_no_bytes_end_the_reading(data: bytes) -> None:
    content = data + b'\n{"a": 1}\n'

    assert isinstance(read(content)[-1], Row)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not a JSON object"),
        (b"[1]", "one object in braces"),
        (b'"text"', "one object in braces"),
        (b'{"a": NaN}', "JSON has no NaN"),
        (b'{"a": -Infinity}', "JSON has no -Infinity"),
        (b'{"a": 1e999}', "too large for a number"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "caf\xe9"}', "not UTF-8 at byte 11"),
        (b'{"a": ' + b"[" * 100_000, "not a JSON object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not a JSON object"),
    ],
)
def test_a_line_that_is_no_object_is_broken_and_says_why(line: bytes, why: str) -> None:
    before, broken, after = read(b'{"n": 1}\n' + line + b'\n{"n": 3}\n')

    assert isinstance(before, Row)
    assert isinstance(broken, BrokenRecord)
    assert why in broken.reason
    assert broken.position.line == 2
    assert isinstance(after, Row)
    assert after.position.line == 3


def test_an_over_long_line_is_broken_and_its_text_is_not_kept() -> None:
    content = b'{"a": "' + b"x" * 50 + b'"}\n{"b": 1}\n'

    broken, row = read(content, limit=40)

    assert isinstance(broken, BrokenRecord)
    assert "longer than" in broken.reason
    assert broken.raw is None
    assert isinstance(row, Row)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"  \r\n\r\n"])
def test_an_empty_file_has_no_records(content: bytes) -> None:
    assert read(content) == []
