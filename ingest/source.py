"""What to ingest: a file, a folder of files or standard input, as one stream of records."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import BaseModel, ConfigDict

from ingest.documents import ID_FIELDS, START, BrokenRecord, Position, Record, Row, document_of
from ingest.readers.jsonl import read_jsonl
from ingest.readers.lines import MIB
from ingest.readers.parquet import count_rows, read_parquet
from ingest.readers.table import read_csv
from plugin.ranking.errors import SettingsError

STDIN = "-"
BEIR_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
_HEAD_BYTES = 64 * 1024


class Format(StrEnum):
    """How a file is laid out."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


_FORMATS = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
}
_KNOWN = "JSONL (.jsonl, .ndjson), CSV (.csv), both also as .gz, or Parquet (.parquet)"
_STREAM_READERS: dict[Format, Callable[[BinaryIO, Position], Iterator[Row | BrokenRecord]]] = {
    Format.JSONL: read_jsonl,
    Format.CSV: read_csv,
}


class PartIdentity(BaseModel):
    """What tells whether a file is still the one it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: int
    mtime_ns: int
    head: str


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source; ``path`` is None for standard input. ``name`` is relative to it."""

    name: str
    path: Path | None
    format: Format
    compressed: bool = False

    @classmethod
    def of(cls, path: Path, name: str) -> Part | None:
        """The part at ``path``; None where its suffix is of no known format."""
        compressed = path.suffix.lower() == ".gz"
        suffix = Path(path.stem).suffix if compressed else path.suffix
        format_ = _FORMATS.get(suffix.lower())
        if format_ is None or (compressed and format_ is Format.PARQUET):
            return None
        return cls(name, path, format_, compressed)

    def rows(self, start: Position) -> Iterator[Row | BrokenRecord]:
        """The records behind ``start``, as they stand in the file."""
        start = replace(start, file=self.name)
        if self.format is Format.PARQUET and self.path is not None:
            yield from read_parquet(self.path, start)
            return
        read = _STREAM_READERS[self.format]
        if self.path is None:
            yield from read(sys.stdin.buffer, start)
            return
        with closing(self._opened(self.path)) as stream:
            # A CSV's reader goes there by itself, from its header.
            if self.format is Format.JSONL and start.offset:
                stream.seek(start.offset)
            yield from read(stream, start)

    def count(self) -> int | None:
        """Records by a look that costs little beside embedding them; None where there is none.

        Blank lines are counted too, so this may be a little high.
        """
        if self.path is None or self.compressed:
            return None
        if self.format is Format.PARQUET:
            return count_rows(self.path)
        lines, quoted = _count_lines(self.path)
        if self.format is Format.JSONL:
            return lines
        return None if quoted else max(lines - 1, 0)

    def identity(self) -> PartIdentity:
        """Name, size, modification time and a hash of the beginning. Raises SettingsError."""
        if self.path is None:
            return PartIdentity(name=self.name, size=0, mtime_ns=0, head="")
        try:
            stat = self.path.stat()
            with self.path.open("rb") as file:
                head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return PartIdentity(
            name=self.name, size=stat.st_size, mtime_ns=stat.st_mtime_ns, head=head[:16]
        )

    def _opened(self, path: Path) -> BinaryIO:
        try:
            # A GzipFile reads and seeks like a file; its type does not say so.
            return cast("BinaryIO", gzip.open(path)) if self.compressed else path.open("rb")
        except OSError as error:
            raise _unreadable(path, error) from error


@dataclass(frozen=True, slots=True)
class Source:
    """Files in a fixed order, read as one stream. ``path`` is absolute, or ``-``."""

    path: str
    parts: tuple[Part, ...]
    id_fields: tuple[str, ...] = ID_FIELDS

    @property
    def resumable(self) -> bool:
        """Whether reading can begin in the middle; standard input is gone once read."""
        return all(part.path is not None for part in self.parts)

    def records(self, start: Position = START) -> Iterator[Record]:
        """Documents and broken records behind ``start``, in order."""
        for index, part in enumerate(self.parts):
            if index >= start.part:
                for row in part.rows(start if index == start.part else Position(index)):
                    yield row if isinstance(row, BrokenRecord) else document_of(row, self.id_fields)

    def count(self) -> int | None:
        """Records there are at most; None where only reading could tell."""
        total = 0
        for part in self.parts:
            count = part.count()
            if count is None:
                return None
            total += count
        return total

    def identity(self) -> tuple[PartIdentity, ...]:
        """What tells whether this is still the same source. Raises SettingsError."""
        return tuple(part.identity() for part in self.parts)


def open_source(path: str, id_fields: Sequence[str] = ID_FIELDS) -> Source:
    """The source at ``path``: a file, a folder, or ``-`` for JSONL on standard input.

    A folder with a ``corpus.jsonl`` is a BEIR folder, of which only that is read; of any other
    folder, every file below it with a known suffix, sorted by name, hidden ones left out.

    Raises:
        SettingsError: nothing is there that can be read.
    """
    if path == STDIN:
        return Source(STDIN, (Part(STDIN, None, Format.JSONL),), tuple(id_fields))
    root = Path(path).expanduser().absolute()
    try:
        parts = _parts(root)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Source(str(root), parts, tuple(id_fields))


def _parts(root: Path) -> tuple[Part, ...]:
    if not root.is_dir():
        root.stat()
        part = Part.of(root, root.name)
        if part is None:
            raise SettingsError(f"{root.name} has no known suffix; give {_KNOWN}")
        return (part,)
    for name in BEIR_CORPUS:
        if (root / name).is_file():
            return (Part(name, root / name, Format.JSONL, name.endswith(".gz")),)
    found = (Part.of(path, str(path.relative_to(root))) for path in _files(root))
    parts = tuple(part for part in found if part is not None)
    if not parts:
        raise SettingsError(f"no file in {root.name} can be read; give {_KNOWN}")
    return parts


def _files(root: Path) -> list[Path]:
    def hidden(path: Path) -> bool:
        return any(part.startswith(".") for part in path.relative_to(root).parts)

    return sorted(path for path in root.rglob("*") if path.is_file() and not hidden(path))


def _unreadable(path: Path | str, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be read ({error.strerror}); see that it is there and that you may read it"
    )


def _count_lines(path: Path) -> tuple[int, bool]:
    """Lines of a file, and whether it holds a double quote."""
    lines, quoted, last = 0, False, b"\n"
    with path.open("rb") as file:
        while block := file.read(MIB):
            lines += block.count(b"\n")
            quoted = quoted or b'"' in block
            last = block[-1:]
    return lines + (last != b"\n"), quoted
