"""Examples: what enters the prompt, what is ranked, and how grades and teachers order it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation.collections import Collection, Document
from evaluation.runs import ScoredDocument
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Hit
from training.examples import Depth, Example, judged_examples, permutation_examples

TEXTS = {id_: f"text of {id_}" for id_ in "abcdefgh"} | {"empty": ""}
DOCUMENTS = {id_: Document(id_, {"text": text}) for id_, text in TEXTS.items()}


def collection(grades: Mapping[str, int]) -> Collection:
    return Collection("made", "train", DOCUMENTS, {"q": "a question"}, {"q": grades})


def hits(ids: str) -> dict[str, tuple[Hit, ...]]:
    return {"q": tuple(Hit(id_, 9.0 - place, TEXTS[id_]) for place, id_ in enumerate(ids))}


def example(grades: Mapping[str, int], ids: str, depth: Depth, **settings: Any) -> Example:
    (made,) = judged_examples(collection(grades), hits(ids), depth, **settings)
    return made


def order(made: Example) -> dict[str, float]:
    """Grade by document id, as the last letter of its text."""
    return {one.text[-1]: one.grade for one in made.documents}


def test_the_first_hits_make_the_prompt_and_all_of_them_are_ranked() -> None:
    made = example({"c": 1}, "abcdef", Depth(prompt_hits=2, candidates=4, seed=1))

    assert made.query == "a question"
    assert made.passages == ("text of a", "text of b")
    assert {one.text[-1] for one in made.documents} >= {"a", "b", "c"}
    assert len(made.documents) == 4


def test_what_the_first_stage_missed_is_ranked_but_shown_to_nobody() -> None:
    made = example({"h": 1}, "ab", Depth(prompt_hits=2, candidates=4, seed=1))

    assert made.passages == ("text of a", "text of b")
    assert order(made)["h"] > order(made)["a"] == order(made)["b"]


def test_grades_come_before_the_teacher_who_orders_what_they_leave_tied() -> None:
    teacher = {"q": [ScoredDocument(id_, 0.0) for id_ in "bda"]}
    made = example({"c": 1, "a": 2}, "abcde", Depth(2, 9, 1), teacher=teacher)

    found = order(made)

    assert found["a"] > found["c"] > found["b"] > found["d"] > found["e"]


def test_negative_grades_and_none_are_the_same() -> None:
    found = order(example({"a": 1, "b": -1}, "abc", Depth(2, 9, 1)))

    assert found["b"] == found["c"]


def test_a_cut_keeps_the_best_of_many_relevant_documents() -> None:
    grades = {"a": 1, "b": 1, "c": 1, "d": 3}
    made = example(grades, "abcd", Depth(prompt_hits=1, candidates=2, seed=1))

    assert made.documents[0].text == "text of d"
    assert len(made.documents) == 2


def test_others_are_drawn_by_the_seed() -> None:
    def drawn(seed: int) -> set[str]:
        return set(order(example({"a": 1}, "abcdefgh", Depth(1, 4, seed))))

    assert drawn(1) == drawn(1)
    assert len({frozenset(drawn(seed)) for seed in range(8)}) > 1


def test_nothing_relevant_gives_no_example() -> None:
    judged = collection({"a": 0, "empty": 1})

    with pytest.raises(SettingsError, match=r"no query of made \(train\)"):
        judged_examples(judged, hits("abc"), Depth(2, 4, 1))


def write(path: Path, row: Mapping[str, Any]) -> Path:
    path.write_text("\n" + json.dumps(row) + "\n", "utf-8")
    return path


def test_a_permutation_grades_its_passages_best_first(tmp_path: Path) -> None:
    row = {"query": "which", "passages": ["one", "two", "three"], "permutation": [3, 1, 2]}

    (made,) = permutation_examples(write(tmp_path / "some.jsonl", row), prompt_hits=2)

    assert (made.query, made.passages) == ("which", ("one", "two"))
    graded = sorted(made.documents, key=lambda one: -one.grade)
    assert [one.text for one in graded] == ["three", "one", "two"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"permutation": [1, 1, 2]}, "each number from 1 to 3 once"),
        ({"permutation": [1, 2]}, "each number from 1 to 3 once"),
        ({"permutation": ["3", "2", "1"]}, "each number from 1 to 3 once"),
        ({"permutation": None}, "each number from 1 to 3 once"),
        ({"passages": ["one", "", "three"]}, "must be texts"),
        ({"query": " "}, "must be texts"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    row = {"query": "which", "passages": ["one", "two", "three"], "permutation": [3, 1, 2]}
    path = write(tmp_path / "some.jsonl", row | change)

    with pytest.raises(SettingsError, match=rf"some\.jsonl, line 2: .*{message}"):
        permutation_examples(path, prompt_hits=2)


def test_a_line_that_is_no_object_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text("[]\n")

    with pytest.raises(SettingsError, match=r"line 1: expected an object"):
        permutation_examples(path, prompt_hits=2)
