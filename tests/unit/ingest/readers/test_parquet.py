from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.documents import Position, Row
from ingest.readers.parquet import count_rows, read_parquet
from plugin.ranking.errors import SettingsError


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Ten rows in four row groups."""
    path = tmp_path / "numbers.parquet"
    table = pa.table({"id": list(range(10)), "text": [f"row {n}" for n in range(10)]})
    pq.write_table(table, path, row_group_size=3)
    return path


@pytest.mark.parametrize("done", range(11))
def test_reading_goes_on_behind_any_row(numbers: Path, done: int) -> None:
    rows = list(read_parquet(numbers, Position(part=1, offset=done, file="numbers.parquet")))

    assert [row.fields["id"] for row in rows if isinstance(row, Row)] == list(range(done, 10))
    assert [row.position.line for row in rows] == list(range(done + 1, 11))
    assert count_rows(numbers) == 10


def test_values_become_what_json_has(tmp_path: Path) -> None:
    path = tmp_path / "values.parquet"
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    columns = {
        "moment": [moment],
        "day": [date(2026, 1, 2)],
        "span": [timedelta(seconds=90)],
        "price": pa.array([Decimal("1.50")], pa.decimal128(5, 2)),
        "bytes": [b"\xff\x00"],
        "text": [b"text"],
        "nan": [float("nan")],
        "none": pa.array([None], pa.string()),
        "list": [[1.5, float("inf")]],
        "struct": [{"inner": date(2026, 1, 2)}],
    }
    pq.write_table(pa.table(columns), path)

    (row,) = read_parquet(path, Position())

    assert isinstance(row, Row)
    assert row.fields == {
        "moment": moment.isoformat(),
        "day": "2026-01-02",
        "span": 90.0,
        "price": "1.50",
        "bytes": base64.b64encode(b"\xff\x00").decode(),
        "text": "text",
        "list": [1.5, None],
        "struct": {"inner": "2026-01-02"},
    }


def test_a_file_that_is_no_parquet_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "not.parquet"
    path.write_bytes(b"not parquet at all")

    with pytest.raises(SettingsError, match=r"not.parquet cannot be read as Parquet"):
        next(read_parquet(path, Position()))


def test_a_file_that_is_damaged_within_is_said_in_one_sentence(numbers: Path) -> None:
    column = pq.read_metadata(numbers).row_group(3).column(0)
    data = bytearray(numbers.read_bytes())
    data[column.dictionary_page_offset : column.data_page_offset] = b"\xff" * (
        column.data_page_offset - column.dictionary_page_offset
    )
    numbers.write_bytes(data)

    with pytest.raises(SettingsError, match=r"numbers.parquet cannot be .*; get a whole copy"):
        list(read_parquet(numbers, Position()))
