"""The dead-letter file: one JSON object a line for every record that was not indexed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ingest.documents import Position
from plugin.ranking.errors import SettingsError

DeadLetter = Mapping[str, Any]


class DeadLetters:
    """Appends to ``path``, which is made with the first letter.

    A line holds ``reason``; of a source's record ``file``, ``line``, ``part`` and ``offset``; and
    ``id``, ``status`` (of the engine), ``document`` or ``raw`` where there are such. Every method
    raises SettingsError where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def add(self, reason: str, position: Position | None = None, **parts: Any) -> None:
        """Write one letter; it is durable after ``sync``."""
        letter = {"reason": reason, **_place(position)}
        letter |= {name: part for name, part in parts.items() if part is not None}
        with _usable(self.path):
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8", errors="replace")
            self._file.write(json.dumps(letter, ensure_ascii=False, default=str) + "\n")

    def sync(self) -> None:
        """Put what was written onto the disk; before a checkpoint that counts it."""
        if self._file is not None:
            with _usable(self.path):
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close."""
        file, self._file = self._file, None
        if file is not None:
            with _usable(self.path), file:
                file.flush()
                os.fsync(file.fileno())

    def keep_until(self, position: Position) -> None:
        """Drop the letters behind ``position``: a resumed run will write them again."""
        end = (position.part, position.offset)
        with _usable(self.path):
            if not self.path.exists():
                return
            # Not splitlines: a letter may hold characters that it takes for line ends.
            lines = self.path.read_text("utf-8", "replace").split("\n")
            kept = [f"{line}\n" for line in lines if line and _end(line) <= end]
            self.path.write_text("".join(kept), "utf-8")


def fresh_dead_letters(given: Path | None, default: Path) -> DeadLetters:
    """An empty file: ``given``, or ``default``, of which an earlier run's letters are dropped.

    Raises:
        SettingsError: ``given`` holds something, which may be somebody's, or cannot be used.
    """
    path = given or default
    with _usable(path):
        if given is None:
            default.unlink(missing_ok=True)
        elif given.exists() and given.stat().st_size:
            raise SettingsError(f"dead-letter file {given} is not empty; remove it or give another")
    return DeadLetters(path)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"dead-letter file {path} cannot be used ({error.strerror}); mend that, or give "
            "--dead-letter"
        ) from error


def _place(position: Position | None) -> dict[str, Any]:
    if position is None:
        return {}
    return {
        "file": position.file,
        "line": position.line,
        "part": position.part,
        "offset": position.offset,
    }


def _end(line: str) -> tuple[float, float]:
    """Where the record of a letter ends; behind everything for a line cut off by a kill."""
    try:
        letter = json.loads(line)
        return letter["part"], letter["offset"]
    except (ValueError, KeyError, TypeError):
        return float("inf"), 0
