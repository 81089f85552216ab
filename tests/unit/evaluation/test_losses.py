from __future__ import annotations

import pytest

from evaluation.collections import Collection
from evaluation.experiment import Outcome, Result, judge
from evaluation.losses import Listed, loss_json, snippet, worst_losses
from evaluation.runs import Run, ScoredDocument
from evaluation.strategies import parse_variants

QRELS = {"worse": {"a": 2, "b": 0}, "little": {"a": 1}, "same": {"a": 1}, "better": {"a": 1}}


def run(**orders: str) -> Run:
    """A letter is a document, best first."""
    return {
        query: [ScoredDocument(id_, -float(place)) for place, id_ in enumerate(ids)]
        for query, ids in orders.items()
    }


@pytest.fixture
def results() -> list[Result]:
    before = run(worse="abcdefg", little="abc", same="ab", better="ba")
    after = run(worse="bcdefga", little="bac", same="ab", better="ab")
    none, query = parse_variants("none,query")
    collection = Collection("made", "test", {}, {}, QRELS)
    return judge(collection, [Outcome(none, before, {}), Outcome(query, after, {})])


def test_the_worst_losses_come_first_and_wins_not_at_all(results: list[Result]) -> None:
    found = worst_losses(QRELS, *results)
    assert [one.query for one in found] == ["worse", "little"]
    assert [one.query for one in worst_losses(QRELS, *results, count=1)] == ["worse"]
    assert (found[0].before, found[0].after) == (1.0, pytest.approx(1 / 3))


def test_a_loss_shows_both_tops_with_grades_and_the_place_in_the_other(
    results: list[Result],
) -> None:
    (loss, *_) = worst_losses(QRELS, *results)
    assert loss.first_stage[:2] == (Listed("a", 2, 7), Listed("b", 0, 1))
    assert loss.reranked[:2] == (Listed("b", 0, 2), Listed("c", None, 3))
    assert len(loss.first_stage) == len(loss.reranked) == 5
    assert loss.ids == set("abcdef")


def test_a_loss_is_told_with_its_texts(results: list[Result]) -> None:
    (_, loss) = worst_losses(QRELS, *results)
    told = loss_json(loss, "how", {id_: f"text\n of {id_}" for id_ in "abc"})
    assert (told["query"], told["text"], told["before"]) == ("little", "how", 1.0)
    assert told["reranked"][0] == {
        "id": "b",
        "grade": None,
        "elsewhere": 2,
        "text": "text of b",
    }


def test_a_long_text_is_shown_by_its_beginning() -> None:
    assert snippet("a  word\nor two ") == "a word or two"
    assert snippet("パ" * 1000) == "パ" * 299 + "…"
