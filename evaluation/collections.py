"""Test collections in BEIR form: a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

Source of the form: https://github.com/beir-cellar/beir (wiki, "Load your custom dataset").
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors.meta import TEXT_FIELDS, document_text
from plugin.ranking.errors import SettingsError

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade; 0 is judged and not relevant."""

_QRELS_HEADER = "query-id"


@dataclass(frozen=True, slots=True)
class Document:
    """One document; ``text`` is what the encoder gets: title and text, joined by a newline."""

    id: str
    source: Mapping[str, str]

    @property
    def text(self) -> str:
        """The same text that ingest embeds."""
        return document_text(self.source, TEXT_FIELDS)


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection and one split of its judgments.

    ``queries`` holds the judged queries only, in the order of the judgments.
    """

    name: str
    split: str
    documents: Mapping[str, Document]
    queries: Mapping[str, str]
    qrels: Qrels


def load_collection(folder: Path, split: str = "test") -> Collection:
    """Read the collection in ``folder`` with the judgments of ``qrels/<split>.tsv``.

    Raises:
        SettingsError: a file is missing or a line is wrong; the message names file and line.
    """
    documents = {
        row["_id"]: Document(row["_id"], {"title": row["title"], "text": row["text"]})
        for row in _rows(folder / "corpus.jsonl", ("title", "text"), optional="title")
    }
    texts = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl", ("text",))}
    path = folder / "qrels" / f"{split}.tsv"
    qrels = read_qrels(path)
    for query in qrels:
        if query not in texts:
            raise SettingsError(
                f"{path}: query {query!r} is not in queries.jsonl; add it, or drop its judgments"
            )
    queries = {query: texts[query] for query in qrels}
    return Collection(folder.resolve().name, split, documents, queries, qrels)


def sampled(collection: Collection, queries: int | None, seed: int) -> Collection:
    """``collection`` with so many of its judged queries, drawn by ``seed``; None: all."""
    if queries is None:
        return collection
    names = sorted(collection.queries)
    random.Random(seed).shuffle(names)  # noqa: S311 - a sample, not a secret
    kept = names[:queries]
    return replace(
        collection,
        queries={name: collection.queries[name] for name in kept},
        qrels={name: collection.qrels[name] for name in kept},
    )


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read judgments: tab-separated query-id, corpus-id, score, below a header.

    Raises:
        SettingsError: the file is missing or empty, or a line is wrong.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1 and cells[0] == _QRELS_HEADER:
            continue
        try:
            query, document, grade = cells
            value = int(grade)
        except ValueError as error:
            raise SettingsError(
                f"{path}, line {number}: expected query-id, corpus-id and a whole score, "
                "separated by tabs"
            ) from error
        if document in qrels.setdefault(query, {}):
            raise SettingsError(
                f"{path}, line {number}: document {document!r} is judged twice for query "
                f"{query!r}; keep one line"
            )
        qrels[query][document] = value
    if not qrels:
        raise SettingsError(f"{path} judges no query; give another split")
    return qrels


def _rows(path: Path, fields: tuple[str, ...], *, optional: str = "") -> Iterator[dict[str, str]]:
    """Objects of a JSONL file, reduced to ``_id`` and ``fields`` as text; ids are unique."""
    seen: set[str] = set()
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        row = _object(line, where)
        texts = {name: _text(row, name, where, optional) for name in ("_id", *fields)}
        if texts["_id"] in seen:
            raise SettingsError(f"{where}: _id {texts['_id']!r} is there twice; keep one of them")
        seen.add(texts["_id"])
        yield texts
    if not seen:
        raise SettingsError(f"{path} is empty; it needs one JSON object a line")


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{where} is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(row, dict):
        raise SettingsError(f"{where} is not a JSON object; write one object a line")
    return row


def _text(row: Mapping[str, Any], name: str, where: str, optional: str) -> str:
    value = row.get(name, "" if name == optional else None)
    if value is None and name == optional:
        return ""
    if name == "_id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or (name == "_id" and not value):
        raise SettingsError(f"{where}: {name!r} must be text, not {value!r}")
    return value


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and lines, empty ones left out."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                stripped = line.rstrip("\r\n")
                if stripped.strip():
                    yield number, stripped
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); DIR must hold corpus.jsonl, queries.jsonl and "
            "qrels/SPLIT.tsv"
        ) from error
