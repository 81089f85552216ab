"""Numbered lines of a byte stream, with the offset behind each."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from ingest.documents import BrokenRecord, Position
from plugin.ranking.errors import SettingsError

MIB = 1024 * 1024
MAX_RECORD_BYTES = 32 * MIB  # the engines refuse requests over 100 MB

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UNREADABLE = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its end; ``data`` is None where it is longer than the limit."""

    number: int
    offset: int
    data: bytes | None


class Lines(Iterator[Line]):
    """The lines behind ``start``; a UTF-8 byte order mark is dropped.

    A compressed stream that ends too early or is damaged ends the iteration, and ``damage`` then
    holds the broken record that stands for the rest of the file. Raises SettingsError for UTF-16
    and where the disk fails.
    """

    def __init__(
        self,
        stream: BinaryIO,
        start: Position,
        *,
        limit: int = MAX_RECORD_BYTES,
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._start = start
        self.number = start.lines
        self.offset = start.offset
        self.damage: BrokenRecord | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Line:
        try:
            data = self._stream.readline(self._limit + 1)
            length = len(data) + self._skip_rest(data)
        except _UNREADABLE as error:
            self.damage = self._damaged(error)
            raise StopIteration from error
        except OSError as error:
            raise SettingsError(
                f"{self._start.file} cannot be read behind line {self.number} ({error.strerror}); "
                "see to its disk, and run this again"
            ) from error
        if not data:
            raise StopIteration
        first = self.offset == 0
        self.number += 1
        self.offset += length
        kept = data if length <= self._limit else None
        return Line(self.number, self.offset, self._without_mark(kept) if first else kept)

    def position(self, line: int) -> Position:
        """The place of a record that began at ``line`` and ends with the last line read."""
        return Position(self._start.part, self.number, self.offset, line, self._start.file)

    def _skip_rest(self, data: bytes) -> int:
        """Bytes of an over-long line behind ``data``, read and dropped."""
        skipped = 0
        while data and not data.endswith(b"\n") and len(data) + skipped > self._limit:
            rest = self._stream.readline(MIB)
            skipped += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        return skipped

    def _without_mark(self, data: bytes | None) -> bytes | None:
        if data is not None and data.startswith(_UTF16_BOMS):
            raise SettingsError(
                f"{self._start.file} is UTF-16; convert it to UTF-8 first (iconv -t UTF-8)"
            )
        return data if data is None else data.removeprefix(_UTF8_BOM)

    def _damaged(self, error: Exception) -> BrokenRecord:
        reason = (
            f"the file cannot be decompressed behind line {self.number} ({error}), so nothing "
            "behind it is read; get a whole copy of it"
        )
        # Its end is the beginning of the next file: there is nothing more to read in this one.
        next_part = Position(self._start.part + 1, line=self.number + 1, file=self._start.file)
        return BrokenRecord(reason, next_part)


def too_long(limit: int = MAX_RECORD_BYTES) -> str:
    """Why a record over the limit is not read."""
    return f"it is longer than {limit / MIB:.0f} MiB; split it"
