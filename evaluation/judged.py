"""Queries and judgments in files of their own, for an index whose documents are in no file."""

from __future__ import annotations

from pathlib import Path

from evaluation.beir import read_qrels
from evaluation.collection import Collection, judged_queries
from evaluation.queries import read_queries


def judged_collection(name: str, queries: Path, qrels: Path) -> Collection:
    """The judged queries of ``queries``; the documents are in the index ``name`` alone.

    Raises:
        SettingsError: a file cannot be read, or judges a query that the other does not hold.
    """
    judgments = read_qrels(qrels)
    texts = judged_queries(read_queries(queries), judgments, qrels, queries)
    return Collection(name, "", {}, texts, judgments)
