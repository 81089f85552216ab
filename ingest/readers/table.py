"""CSV with a header line, UTF-8, quoted as RFC 4180 has it; every value is a string."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ingest.documents import BrokenRecord, Position, Row
from ingest.readers.lines import MAX_RECORD_BYTES, Lines, too_long
from plugin.ranking.errors import SettingsError


class _RecordLines(Iterator[str]):
    """Lines as ``csv.reader`` takes them; it takes as many as one record needs.

    Bytes that are not UTF-8 become surrogates, to be found in the finished record: a line must not
    fail within a record, or the rest of the record would be read as records.
    """

    def __init__(self, lines: Lines, limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self._bytes = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self._bytes += len(line.data or b"")
        if line.data is None or self._bytes > self._limit:
            raise csv.Error(too_long(self._limit))
        return line.data.decode("utf-8", "surrogateescape")

    def begin(self) -> None:
        """Count a record's bytes from here."""
        self._bytes = 0


def read_csv(
    stream: BinaryIO, start: Position, *, limit: int = MAX_RECORD_BYTES
) -> Iterator[Row | BrokenRecord]:
    """The rows of ``stream``, which must be seekable where ``start`` is behind the header.

    Empty cells are left out, as is a column without a name; a row with more or fewer cells than
    the header is broken. Raises SettingsError where the header cannot be used.
    """
    csv.field_size_limit(limit)
    header_lines = Lines(stream, Position(start.part, file=start.file), limit=limit)
    header = _header(header_lines, limit)
    if header is None:
        return
    lines = header_lines
    if start.offset > header_lines.offset:
        stream.seek(start.offset)
        lines = Lines(stream, start, limit=limit)
    yield from _rows(lines, header, limit)
    if lines.damage is not None:
        yield lines.damage


def _header(lines: Lines, limit: int) -> Sequence[str] | None:
    """The column names; None where the file is empty."""
    file = lines.position(0).file
    try:
        names = next(csv.reader(_RecordLines(lines, limit), strict=True), None)
    except csv.Error as error:
        raise SettingsError(f"the header of {file} is not CSV ({error}); mend it") from error
    named = [name for name in names or () if name]
    if any(not _is_utf8(name) for name in named):
        raise SettingsError(f"{file} is not UTF-8; convert it first (iconv -t UTF-8)")
    if len(set(named)) != len(named):
        raise SettingsError(f"{file} has two columns of one name; rename one")
    return names


def _rows(lines: Lines, header: Sequence[str], limit: int) -> Iterator[Row | BrokenRecord]:
    text = _RecordLines(lines, limit)
    reader = csv.reader(text, strict=True)
    while True:
        text.begin()
        first = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = f"{_span(first, lines.number)} not CSV ({error})"
            yield BrokenRecord(reason, lines.position(first))
            continue
        if cells is None:
            return
        if cells:
            yield _row(header, cells, lines.position(first))


def _row(header: Sequence[str], cells: Sequence[str], position: Position) -> Row | BrokenRecord:
    raw = ",".join(cells)
    if len(cells) != len(header):
        reason = f"the row has {len(cells)} cells and the header {len(header)}"
        return BrokenRecord(reason, position, _printable(raw))
    if not _is_utf8(raw):
        return BrokenRecord("it is not UTF-8; convert the file to UTF-8", position, _printable(raw))
    pairs = zip(header, cells, strict=True)
    return Row({name: cell for name, cell in pairs if name and cell}, position)


def _span(first: int, last: int) -> str:
    return f"line {first} is" if first >= last else f"lines {first} to {last} are"


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
