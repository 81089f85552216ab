"""Parquet, by pyarrow (the extra `parquet`): a row is a document."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from pathlib import Path
from typing import Any

from ingest.documents import BrokenRecord, Position, Row
from plugin.ranking.errors import SettingsError

_BATCH_ROWS = 256


def read_parquet(path: Path, start: Position) -> Iterator[Row | BrokenRecord]:
    """The rows behind ``start``; nulls are left out.

    Times become ISO 8601 strings, durations seconds, decimals strings, binary text or base64.
    Raises SettingsError where the file is no Parquet or damaged, or pyarrow is not installed.
    """
    with _opened(path) as file, _readable(path):
        row = 0
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row + rows <= start.offset:
                row += rows
                continue
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group]):
                for values in batch.to_pylist():
                    row += 1
                    if row > start.offset:
                        position = Position(start.part, row, row, row, start.file)
                        yield Row(_fields(values), position)


def count_rows(path: Path) -> int:
    """Rows by the file's footer. Raises as ``read_parquet`` does."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def _opened(path: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError as error:
        raise SettingsError("Parquet needs pyarrow; install rankside[parquet]") from error
    with _readable(path):
        return ParquetFile(path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError) as error:
        reason = " ".join(str(error).split())  # pyarrow's have several lines
        raise SettingsError(
            f"{path.name} cannot be read as Parquet ({reason}); get a whole copy of it"
        ) from error


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: jsonable(value) for name, value in values.items()}
    return {name: value for name, value in fields.items() if value is not None}


@singledispatch
def jsonable(value: Any) -> Any:
    """``value`` as JSON has it: numbers that JSON lacks (NaN) become null."""
    return value


@jsonable.register
def _(value: float) -> float | None:
    return value if math.isfinite(value) else None


@jsonable.register(datetime)
@jsonable.register(date)
@jsonable.register(time)
def _(value: datetime | date | time) -> str:
    return value.isoformat()


@jsonable.register
def _(value: timedelta) -> float:
    return value.total_seconds()


@jsonable.register
def _(value: Decimal) -> str:
    return str(value)


@jsonable.register
def _(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


@jsonable.register
def _(value: dict) -> dict[str, Any]:  # type: ignore[type-arg] # singledispatch takes the bare class
    return {str(name): jsonable(inner) for name, inner in value.items()}


@jsonable.register(list)
@jsonable.register(tuple)
def _(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [jsonable(inner) for inner in value]
