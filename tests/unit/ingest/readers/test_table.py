from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import START, BrokenRecord, Position, Row
from ingest.readers.table import read_csv
from plugin.ranking.errors import SettingsError

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(CELLS, min_size=columns, max_size=columns).filter(any), max_size=6
    ).map(lambda rows: (columns, rows))
)


def read(data: bytes, start: Position = START, **options: Any) -> list[Row | BrokenRecord]:
    return list(read_csv(io.BytesIO(data), start, **options))


def written(columns: int, rows: list[list[str]], end: str) -> bytes:
    text = io.StringIO(newline="")
    # Left to itself, the writer quotes a carriage return only where it is part of its line end.
    alone = any("\r" in cell for row in rows for cell in row)
    quoting = csv.QUOTE_ALL if alone else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerow([f"c{number}" for number in range(columns)])
    writer.writerows(rows)
    return text.getvalue().encode()


@given(TABLES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_cells_come_back_whatever_is_in_them(
    table: tuple[int, list[list[str]]], end: str, mark: bool
) -> None:
    columns, rows = table
    content = (b"\xef\xbb\xbf" if mark else b"") + written(columns, rows, end)

    found = read(content)

    expected = [{f"c{n}": cell for n, cell in enumerate(row) if cell} for row in rows]
    assert [row.fields for row in found if isinstance(row, Row)] == expected


@given(st.data(), TABLES.filter(lambda table: bool(table[1])))
def test_reading_goes_on_behind_any_record(
    data: st.DataObject, table: tuple[int, list[list[str]]]
) -> None:
    content = written(*table, "\n")
    rows = read(content)
    done = data.draw(st.integers(1, len(rows)))

    assert read(content, rows[done - 1].position) == rows[done:]


def test_a_record_of_several_lines_stands_at_its_first() -> None:
    first, second = read(b'id,text\n1,"a\nb\nc"\n2,d\n')

    assert (first.position.line, first.position.lines) == (2, 4)
    assert second.position.line == 5


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"1,2,3", "the row has 3 cells and the header 2"),
        (b"1", "the row has 1 cells and the header 2"),
        (b'1,"a"b', "line 3 is not CSV"),
        (b"1,caf\xe9", "it is not UTF-8"),
    ],
)
def test_a_broken_row_says_why_and_the_next_is_read(row: bytes, why: str) -> None:
    _, broken, after = read(b"id,text\n0,z\n" + row + b"\n2,y\n")

    assert isinstance(broken, BrokenRecord)
    assert why in broken.reason
    assert broken.position.line == 3
    assert isinstance(after, Row)
    assert after.fields == {"id": "2", "text": "y"}


def test_an_unclosed_quote_names_the_lines_it_took() -> None:
    row, broken = read(b'id,text\n1,a\n2,"never closed\n3,b\n4,c\n')

    assert isinstance(row, Row)
    assert isinstance(broken, BrokenRecord)
    assert "lines 3 to 5 are not CSV" in broken.reason


def test_a_record_over_the_limit_is_broken() -> None:
    broken, *_ = read(b'id,text\n1,"' + b"x\n" * 100 + b'"\n', limit=50)

    assert isinstance(broken, BrokenRecord)
    assert "longer than" in broken.reason


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"id,id\n", "two columns of one name"),
        (b"id,caf\xe9\n", "not UTF-8"),
        (b'id,"a"b\n', "not CSV"),
    ],
)
def test_a_header_that_cannot_be_used_stops_the_start(header: bytes, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read(header + b"1,2\n", Position(file="table.csv"))


def test_a_column_without_a_name_and_empty_cells_are_left_out() -> None:
    (row,) = read(b",id,text,more\n0,1,a,\n")

    assert isinstance(row, Row)
    assert row.fields == {"id": "1", "text": "a"}


@pytest.mark.parametrize("content", [b"", b"id,text\n", b"id,text\n\n\n"])
def test_a_file_without_rows_has_no_records(content: bytes) -> None:
    assert read(content) == []
