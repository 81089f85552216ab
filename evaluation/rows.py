"""Rows of a test collection's files, and what is wrong with them by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plugin.ranking.errors import SettingsError


def texts_of(
    path: Path, id_field: str, fields: tuple[str, ...], *, optional: str = ""
) -> Iterator[dict[str, str]]:
    """Objects of a JSONL file, reduced to ``id_field`` and ``fields`` as text; ids are unique.

    Raises:
        SettingsError: the file cannot be read or is empty, or a line is wrong.
    """
    seen: set[str] = set()
    for where, row in objects(path):
        texts = {name: text_of(row, name, where, optional=optional) for name in fields}
        id_ = id_of(row, id_field, where)
        if id_ in seen:
            raise SettingsError(f"{where}: {id_field} {id_!r} is there twice; keep one of them")
        seen.add(id_)
        yield {id_field: id_, **texts}
    if not seen:
        raise SettingsError(f"{path} is empty; it needs one JSON object a line")


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSONL file, each with its place for a message.

    Raises:
        SettingsError: the file cannot be read, or a line is no object.
    """
    for number, line in lines(path):
        where = f"{path}, line {number}"
        yield where, _object(line, where)


def objects_or_faults(path: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The same, and None for a line that is no object, with what is wrong in place of its place.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _object_or_fault(line, f"{path}, line {number}")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); give a file") from error


def add_judgment(
    qrels: dict[str, dict[str, int]], query: str, document: str, grade: int, where: str
) -> None:
    """Put a judgment into ``qrels``.

    Raises:
        SettingsError: the document is judged already.
    """
    judged = qrels.setdefault(query, {})
    if document in judged:
        raise SettingsError(
            f"{where}: document {document!r} is judged twice for query {query!r}; keep one line"
        )
    judged[document] = grade


def id_of(row: Mapping[str, Any], name: str, where: str) -> str:
    """An id: text, or a whole number.

    Raises:
        SettingsError: it is neither, or empty.
    """
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{where}: {name!r} must be text, not {value!r}")
    return value


def text_of(row: Mapping[str, Any], name: str, where: str, *, optional: str = "") -> str:
    """A text; the one called ``optional`` may be missing or null.

    Raises:
        SettingsError: it is none.
    """
    value = row.get(name)
    if value is None and name == optional:
        return ""
    if not isinstance(value, str):
        raise SettingsError(f"{where}: {name!r} must be text, not {value!r}")
    return value


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and lines, empty ones left out.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                stripped = line.rstrip("\r\n")
                if stripped.strip():
                    yield number, stripped
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); docs/reference/collections.md says what a folder "
            "holds"
        ) from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{where} is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(row, dict):
        raise SettingsError(f"{where} is not a JSON object; write one object a line")
    return row


def _object_or_fault(line: bytes, where: str) -> tuple[str, dict[str, Any] | None]:
    try:
        return where, _object(line.decode("utf-8"), where)
    except UnicodeDecodeError:
        return f"{where} is not UTF-8", None
    except SettingsError as error:
        return str(error), None
