"""What an adapter learns from: a query, the passages of its prompt, and documents with grades.

Three sources give the same: a judged collection with a first stage (a BEIR folder, or a team's own
index), a teacher's order of that first stage, and permutations of passages as LLMs answer them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.collections import Collection
from evaluation.memory import Hits
from evaluation.runs import Run
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Hit

_BEHIND = 1_000_000  # a place behind every one that a teacher gave


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document's text and how good it is for the query, by any scale; higher is better."""

    text: str
    grade: float


@dataclass(frozen=True, slots=True)
class Example:
    """``passages`` enter the prompt, in first-stage order; ``documents`` are to be ranked."""

    query: str
    passages: tuple[str, ...]
    documents: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of a first stage one example takes.

    The first ``prompt_hits`` make the prompt. Up to ``candidates`` documents are ranked: what is
    judged relevant, the prompt hits, and others of the window, drawn by ``seed``.
    """

    prompt_hits: int
    candidates: int
    seed: int


def judged_examples(
    collection: Collection, hits: Hits, depth: Depth, teacher: Run | None = None
) -> list[Example]:
    """One example a query that has a relevant document and a first stage.

    Grades are the judgments' own; among documents of one grade, the teacher's order decides where
    there is one (what it does not return is behind). Relevant documents that the first stage
    missed are ranked too, without entering the prompt.

    Raises:
        SettingsError: no query has both.
    """
    window = _Window(collection, depth, teacher or {})
    made = (window.example(query, found) for query, found in hits.items())
    examples = [example for example in made if example is not None]
    if not examples:
        raise SettingsError(
            f"no query of {collection.name} ({collection.split}) has a first stage and a relevant "
            "document; give another split or run"
        )
    return examples


def permutation_examples(path: Path, prompt_hits: int) -> list[Example]:
    """Examples of a JSONL file: ``query``, ``passages``, and ``permutation`` (numbers from 1).

    The form of llm4ranking's and RankZephyr's training data: the best passage's number first.

    Raises:
        SettingsError: the file cannot be read, or a line is wrong; the message names it.
    """
    examples = [
        _permuted(line, f"{path}, line {number}", prompt_hits) for number, line in _lines(path)
    ]
    if not examples:
        raise SettingsError(f"{path} is empty; it needs one JSON object a line")
    return examples


class _Window:
    """From a query's first stage to its example."""

    def __init__(self, collection: Collection, depth: Depth, teacher: Run) -> None:
        self._collection = collection
        self._depth = depth
        self._teacher = teacher
        self._draw = random.Random(depth.seed)  # noqa: S311 - a sample, not a secret

    def example(self, query: str, hits: Sequence[Hit]) -> Example | None:
        """The example; None where nothing was found, or nothing that is relevant has a text."""
        grades = self._collection.qrels[query]
        found = [hit.id for hit in hits if hit.text]
        relevant = [id_ for id_, grade in grades.items() if grade > 0 and self._text(id_)]
        if not found or not relevant:
            return None
        head, rest = found[: self._depth.prompt_hits], found[self._depth.prompt_hits :]
        self._draw.shuffle(rest)
        # The best come first, so that a cut at so many candidates never takes all of them.
        relevant.sort(key=lambda id_: -grades[id_])
        ids = list(dict.fromkeys([*relevant, *head, *rest]))[: self._depth.candidates]
        places = {item.id: place for place, item in enumerate(self._teacher.get(query, ()))}
        labels = _labels(ids, grades, places)
        return Example(
            self._collection.queries[query],
            tuple(self._text(id_) for id_ in head),
            tuple(Labelled(self._text(id_), labels[id_]) for id_ in ids),
        )

    def _text(self, id_: str) -> str:
        document = self._collection.documents.get(id_)
        return document.text if document else ""


def _labels(
    ids: Sequence[str], grades: Mapping[str, int], places: Mapping[str, int]
) -> dict[str, float]:
    """Numbers that order ``ids`` by judgment and then by place; ties stay ties."""
    keys = {id_: (max(grades.get(id_, 0), 0), -places.get(id_, _BEHIND)) for id_ in ids}
    order = {key: float(number) for number, key in enumerate(sorted(set(keys.values())))}
    return {id_: order[key] for id_, key in keys.items()}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}); give a JSONL file") from error


def _permuted(line: str, where: str, prompt_hits: int) -> Example:
    try:
        row = json.loads(line)
        query, passages, permutation = row["query"], row["passages"], row["permutation"]
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{where}: expected an object with query, passages and permutation"
        ) from error
    texts = isinstance(passages, list) and all(isinstance(one, str) and one for one in passages)
    if not isinstance(query, str) or not query.strip() or not texts or not passages:
        raise SettingsError(f"{where}: query and passages must be texts")
    if not _is_permutation(permutation, len(passages)):
        raise SettingsError(
            f"{where}: permutation must hold each number from 1 to {len(passages)} once"
        )
    grade = {number: float(-place) for place, number in enumerate(permutation)}
    return Example(
        query,
        tuple(passages[:prompt_hits]),
        tuple(Labelled(text, grade[number]) for number, text in enumerate(passages, start=1)),
    )


def _is_permutation(value: object, count: int) -> bool:
    if not isinstance(value, list) or not all(type(one) is int for one in value):
        return False
    return sorted(value) == list(range(1, count + 1))
