"""JSON Lines: one object a line, UTF-8; blank lines are passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from ingest.documents import BrokenRecord, Position, Row
from ingest.readers.lines import MAX_RECORD_BYTES, Lines, too_long

_RAW_CHARACTERS = 10_000


def read_jsonl(
    stream: BinaryIO, start: Position, *, limit: int = MAX_RECORD_BYTES
) -> Iterator[Row | BrokenRecord]:
    """The objects of ``stream``, which stands at ``start``; a line that is none is broken."""
    lines = Lines(stream, start, limit=limit)
    for line in lines:
        position = lines.position(line.number)
        if line.data is None:
            yield BrokenRecord(too_long(limit), position)
        elif line.data.strip():
            yield _parsed(line.data, position)
    if lines.damage is not None:
        yield lines.damage


def _parsed(data: bytes, position: Position) -> Row | BrokenRecord:
    try:
        return Row(_object(data), position)
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 at byte {error.start + 1}; convert the file to UTF-8"
    except (ValueError, RecursionError) as error:
        reason = f"it is not a JSON object ({error})"
    raw = data.rstrip(b"\r\n").decode("utf-8", "replace")[:_RAW_CHARACTERS]
    return BrokenRecord(reason, position, raw)


def _object(data: bytes) -> dict[str, Any]:
    value = json.loads(data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    if not isinstance(value, dict):
        raise ValueError("a line holds one object in braces")  # noqa: TRY004 - one border above
    if b"\\u" in data:  # an escape can spell half a character, which no engine takes
        _check_whole(value)
    return value


def _check_whole(value: dict[str, Any]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:20]} is too large for a number")
    return number
