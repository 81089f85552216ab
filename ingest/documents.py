"""What readers yield: documents, and records that cannot be one, each with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ID_FIELDS = ("_id", "id")
MAX_ID_BYTES = 512  # longer ids make both engines refuse the whole bulk request


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record ends, so that reading can go on behind it.

    ``part`` counts the source's files from 0; ``line`` is the record's first line (row, in a
    table), ``lines`` how many are read with it, ``offset`` the bytes (rows, in Parquet) up to its
    end, decompressed.
    """

    part: int = 0
    lines: int = 0
    offset: int = 0
    line: int = 0
    file: str = ""


START = Position()


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in its file; the id is among the fields, or nowhere."""

    fields: dict[str, Any]
    position: Position


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that is no document: ``reason`` is one sentence, ``raw`` its text where known."""

    reason: str
    position: Position
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document to be indexed under ``id``; ``derived_id`` says that its source named none."""

    id: str
    fields: dict[str, Any]
    position: Position
    derived_id: bool = False


Record = SourceDocument | BrokenRecord


def document_of(row: Row, id_fields: Sequence[str] = ID_FIELDS) -> Record:
    """The document of ``row``; its id is the first of ``id_fields`` that is there and not empty.

    Without one the id is derived from the file's name and the line: stable as long as lines before
    it are. ``_id`` is never part of the fields, since the engines refuse it there.
    """
    fields = {name: value for name, value in row.fields.items() if name != "_id"}
    found = _found_id(row.fields, id_fields)
    if found is None:
        return SourceDocument(_derived_id(row.position), fields, row.position, derived_id=True)
    name, value = found
    if isinstance(value, bool) or not isinstance(value, str | int):
        reason = f"its id field {name!r} is no string or whole number"
        return BrokenRecord(f"{reason}; name another with --id-field", row.position)
    if len(str(value).encode()) > MAX_ID_BYTES:
        reason = f"its id is longer than the {MAX_ID_BYTES} bytes the engines allow; shorten it"
        return BrokenRecord(reason, row.position)
    return SourceDocument(str(value), fields, row.position)


def _found_id(fields: Mapping[str, Any], id_fields: Sequence[str]) -> tuple[str, Any] | None:
    values = ((name, fields.get(name)) for name in id_fields)
    return next((found for found in values if found[1] not in (None, "")), None)


def _derived_id(position: Position) -> str:
    return hashlib.sha256(f"{position.file}\0{position.line}".encode()).hexdigest()[:20]
