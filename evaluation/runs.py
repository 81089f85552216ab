"""Runs: what a system returned for each query, and the TREC files they travel in.

Source of the form: trec_eval's results file, ``query Q0 document rank score tag``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin.ranking.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One document of a result and its score there."""

    id: str
    score: float


Run = Mapping[str, Sequence[ScoredDocument]]
"""Query id → documents, best first, each once."""


@dataclass(frozen=True, slots=True)
class _Row:
    rank: float
    item: ScoredDocument


def read_run(path: Path) -> dict[str, list[ScoredDocument]]:
    """Read a TREC run; each query's documents by falling score, ties by their rank column.

    Raises:
        SettingsError: the file is missing or empty, or a line is wrong.
    """
    rows: dict[str, list[_Row]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    query, row = _parsed(line, f"{path}, line {number}")
                    rows.setdefault(query, []).append(row)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"run {path} cannot be read ({error}); give a TREC run file") from error
    if not rows:
        raise SettingsError(f"run {path} is empty; give a TREC run file")
    return {query: _ordered(found, query, path) for query, found in rows.items()}


def write_run(path: Path, run: Run, tag: str) -> None:
    """Write ``run`` as a TREC file whose scores fall strictly with the rank.

    trec_eval orders by score and breaks ties by id; where two scores tie (or do not fall), the
    later is written one step of a double lower, so that the order stays the one of ``run``.

    Raises:
        SettingsError: the file cannot be written.
    """
    label = "_".join(tag.split()) or "run"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_lines(run, label))
    except OSError as error:
        raise SettingsError(
            f"run {path} cannot be written ({error.strerror}); give another folder"
        ) from error


def _lines(run: Run, label: str) -> Iterator[str]:
    for query, items in run.items():
        last = math.inf
        for rank, item in enumerate(items, start=1):
            last = min(item.score, math.nextafter(last, -math.inf))
            yield f"{query} Q0 {item.id} {rank} {last!r} {label}\n"


def _parsed(line: str, where: str) -> tuple[str, _Row]:
    try:
        query, _, document, rank, score, *_ = line.split()
        row = _Row(float(rank), ScoredDocument(document, float(score)))
    except ValueError as error:
        raise SettingsError(
            f"{where}: expected `query Q0 document rank score tag`, separated by spaces"
        ) from error
    if not math.isfinite(row.item.score):
        raise SettingsError(f"{where}: score {row.item.score} is not a finite number")
    return query, row


def _ordered(rows: list[_Row], query: str, path: Path) -> list[ScoredDocument]:
    rows.sort(key=lambda row: (-row.item.score, row.rank))
    ids = [row.item.id for row in rows]
    if len(set(ids)) != len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise SettingsError(
            f"{path}: query {query!r} returns document {twice!r} twice; keep one line"
        )
    return [row.item for row in rows]
