"""The demo's judged queries, as they are in ``judgments.jsonl`` beside this module.

How they were made is told in ``docs/reference/demo-judgments.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

__all__ = ["JudgedQuery", "judged_queries"]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A question, and the grade of each document judged: 2 answers it, 1 helps.

    What is not in ``grades`` is judged, or taken to be, of no use.
    """

    id: str
    text: str
    grades: Mapping[str, int]


def judged_queries() -> list[JudgedQuery]:
    """Return the queries in the order of the file."""
    source = resources.files(__package__).joinpath("judgments.jsonl")
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    return [JudgedQuery(row["_id"], row["text"], row["grades"]) for row in rows]
