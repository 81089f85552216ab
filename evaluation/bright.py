"""BRIGHT's form: Parquet files by task in examples/, documents/ and long_documents/.

Source of the form: https://huggingface.co/datasets/xlangai/BRIGHT ("Dataset Structure"); what is
excluded, and that "N/A" stands for nothing: https://github.com/xlang-ai/BRIGHT (run.py,
retrievers.py), which takes a query's `excluded_ids` out before it cuts its run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation.collection import Collection, Document
from evaluation.rows import id_of, text_of
from ingest.documents import START, BrokenRecord
from ingest.readers.parquet import read_parquet
from plugin.ranking.errors import SettingsError

LONG = "long"
_EXAMPLES = "examples"
_NOTHING = "N/A"


def is_bright(folder: Path) -> bool:
    """Whether ``folder`` is of this form."""
    return (folder / _EXAMPLES).is_dir() and not (folder / "corpus.jsonl").exists()


def load_bright(folder: Path, split: str) -> Collection:
    """Read one task: ``biology``, or ``biology:long`` for whole pages as documents.

    Raises:
        SettingsError: there is no such task, a row is wrong, or pyarrow is not installed.
    """
    task, _, form = split.partition(":")
    if form not in {"", LONG}:
        raise SettingsError(f"split {split!r} is none of BRIGHT's; give {task}, or {task}:{LONG}")
    part, gold = ("long_documents", "gold_ids_long") if form else ("documents", "gold_ids")
    documents = {}
    for where, row in _rows(folder, part, task):
        id_ = id_of(row, "id", where)
        text = text_of(row, "content", where, optional="content")
        documents[id_] = Document(id_, {"title": "", "text": text})
    queries, qrels, excluded = {}, {}, {}
    for where, row in _rows(folder, _EXAMPLES, task):
        id_ = id_of(row, "id", where)
        relevant = dict.fromkeys(_ids(row, gold, where), 1)
        if not relevant:  # judged in the other form only
            continue
        queries[id_], qrels[id_] = text_of(row, "query", where), relevant
        excluded[id_] = frozenset(_ids(row, "excluded_ids", where))
        if both := excluded[id_] & relevant.keys():
            raise SettingsError(
                f"{where}: {min(both)!r} is relevant and excluded; get a whole copy"
            )
    if not queries:
        raise SettingsError(f"{folder} judges no query of {split}; give another split")
    name = f"{folder.resolve().name}-{task}"
    return Collection(name, split, documents, queries, qrels, excluded)


def _rows(folder: Path, part: str, task: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a task's files, each with its place for a message."""
    files = sorted((folder / part).glob(f"{task}-*.parquet"))
    if not files:
        tasks = sorted(
            {path.name.partition("-")[0] for path in (folder / part).glob("*-*.parquet")}
        )
        there = f"; give one of {', '.join(tasks)}" if tasks else ""
        raise SettingsError(f"{folder / part} has no task {task!r}{there} as --split")
    for path in files:
        for row in read_parquet(path, START):
            where = f"{path}, row {row.position.line}"
            if isinstance(row, BrokenRecord):
                raise SettingsError(f"{where}: {row.reason}")
            yield where, row.fields


def _ids(row: dict[str, Any], name: str, where: str) -> list[str]:
    found = row.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise SettingsError(f"{where}: {name!r} must be a list of ids, not {found!r}")
    return [one for one in found if one != _NOTHING]
