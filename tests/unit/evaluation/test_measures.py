from __future__ import annotations

import math

import pytest

from evaluation.measures import MAIN, measure, names
from evaluation.runs import ScoredDocument


def ordered(*ids: str) -> list[ScoredDocument]:
    """An order as a result: scores fall with the rank."""
    return [ScoredDocument(id_, -float(place)) for place, id_ in enumerate(ids)]


QRELS = {"1": {"a": 2, "b": 1, "c": 0}, "2": {"x": 1}, "3": {"y": 1}}
RUN = {"1": ordered("c", "a", "u", "b"), "2": ordered("x"), "unjudged": ordered("a")}


def test_measures_are_those_worked_out_by_hand() -> None:
    scores = measure(QRELS, RUN).by_query()["1"]
    dcg = 2 / math.log2(3) + 1 / math.log2(5)
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert scores[MAIN] == pytest.approx(dcg / ideal)
    assert scores["AP"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert scores["RR@10"] == pytest.approx(1 / 2)
    assert scores["R@100"] == pytest.approx(1.0)
    # Of the four returned; ten only where ten are.
    assert scores["Judged@10"] == pytest.approx(3 / 4)


def test_a_query_without_results_counts_nothing_and_others_are_left_out() -> None:
    scores = measure(QRELS, RUN)
    assert scores.queries == ("1", "2", "3")
    assert scores.by_query()["3"] == dict.fromkeys(names(), 0.0)
    assert scores.means[MAIN] == pytest.approx((scores.by_query()["1"][MAIN] + 1) / 3)


def test_tied_scores_keep_the_order_of_the_run() -> None:
    best = {"1": [ScoredDocument("a", 1.0), ScoredDocument("b", 1.0), ScoredDocument("c", 1.0)]}
    worst = {"1": best["1"][::-1]}
    qrels = {"1": QRELS["1"]}
    assert measure(qrels, best).means[MAIN] == pytest.approx(1.0)
    assert measure(qrels, worst).means[MAIN] < 1.0


def test_recall_is_taken_as_deep_as_the_runs_are() -> None:
    scores = measure(QRELS, RUN, depth=2).by_query()["1"]
    assert scores["R@2"] == pytest.approx(1 / 2)
    assert "R@100" not in scores
    assert names(10).count("R@10") == 1
