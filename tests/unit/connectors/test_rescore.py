"""The arithmetic of a rescore, simulated in float32 as Lucene's QueryRescorer does it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.options import EngineKind
from connectors.rescore import (
    Place,
    Weights,
    among,
    by_knn,
    by_order,
    by_script,
    least_weight,
    order_rescorer,
    vector_rescorer,
    vector_weights,
    with_rescore,
)

CASES = Path(__file__).parents[2] / "cases" / "rescore_weights.json"
WEIGHT_CASES = json.loads(CASES.read_text("utf-8"))
F = np.float32
VECTOR = np.array([0.6, 0.8], dtype=np.float32)
PLACES = [Place("a", "1"), Place("b", "1"), Place("a", "2")]

# What engines give: BM25 rarely beyond 100, function scores may be anything.
scores = st.floats(min_value=2.0**-60, max_value=1e9, width=32)
cosines = st.floats(min_value=-1, max_value=1, width=32)
weights = st.one_of(st.just(0.0), st.floats(min_value=1e-9, max_value=1e4))


def rescore(
    first: Sequence[float], clause: Mapping[int, float], applied: Weights, window: int
) -> list[tuple[int, np.float32]]:
    """One shard: hits by first-stage score, the clause's score by hit number; best first.

    Lucene multiplies and adds in float32 and breaks ties by document number.
    """
    ordered = sorted(range(len(first)), key=lambda hit: (-F(first[hit]), hit))
    scored = []
    for rank, hit in enumerate(ordered):
        score = F(F(first[hit]) * F(applied.query))
        if rank < window and hit in clause:
            score = F(score + F(F(clause[hit]) * F(applied.rescore)))
        scored.append((hit, score))
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


@given(st.lists(scores, min_size=1, max_size=40), weights, st.integers(0, 20))
def test_first_stage_order_survives_wherever_nothing_is_added(
    first: list[float], weight: float, window: int
) -> None:
    applied = vector_weights(weight, max(first))
    plain = sorted(range(len(first)), key=lambda hit: (-F(first[hit]), hit))
    assert [hit for hit, _ in rescore(first, {}, applied, window)] == plain


@given(st.lists(st.tuples(scores, cosines), min_size=1, max_size=40), weights, st.integers(1, 20))
def test_no_score_is_negative_and_the_window_stays_ahead(
    hits: list[tuple[float, float]], weight: float, window: int
) -> None:
    """Nothing beyond the window may pass a hit within it, or pages would not fit together."""
    first = [score for score, _ in hits]
    clause = {hit: 1 + cosine for hit, (_, cosine) in enumerate(hits)}
    applied = vector_weights(weight, max(first))
    ordered = rescore(first, clause, applied, window)
    assert all(score >= 0 for _, score in ordered)
    inside = set(sorted(range(len(first)), key=lambda hit: (-F(first[hit]), hit))[:window])
    lowest = min(score for hit, score in ordered if hit in inside)
    assert all(score <= lowest for hit, score in ordered if hit not in inside)


@given(st.lists(st.tuples(scores, cosines), min_size=2, max_size=40), weights)
def test_the_order_is_that_of_the_formula(hits: list[tuple[float, float]], weight: float) -> None:
    """cos + weight·score, as far as float32 can tell two hits apart."""
    first = [score for score, _ in hits]
    clause = {hit: 1 + cosine for hit, (_, cosine) in enumerate(hits)}
    applied = vector_weights(weight, max(first))
    order = [hit for hit, _ in rescore(first, clause, applied, len(hits))]
    worth = np.array([1 + cosine + weight * score for score, cosine in hits])[order]
    room = 1e-6 * (2 + weight * max(first))
    assert (np.diff(worth) <= room).all()


@given(st.lists(st.tuples(scores, cosines), min_size=2, max_size=40))
def test_a_weight_of_nothing_is_not_seen_within_the_window(
    hits: list[tuple[float, float]],
) -> None:
    """The order is the cosines' own, to the last bit of 1 + cos."""
    first = [score for score, _ in hits]
    clause = {hit: 1 + cosine for hit, (_, cosine) in enumerate(hits)}
    applied = vector_weights(0.0, max(first))
    order = [hit for hit, _ in rescore(first, clause, applied, len(hits))]
    values = [F(clause[hit]) for hit in order]
    # Below 1 a float32 is finer than between 1 and 2; there the weight may be seen, by no more.
    assert all(after <= before + F(2**-29) for before, after in pairwise(values))


@given(st.floats(min_value=2.0**-40, max_value=1e6), st.floats(min_value=0, max_value=1e4))
def test_weights_keep_their_ratio_and_the_query_weight_is_a_power_of_two(
    weight: float, highest: float
) -> None:
    applied = vector_weights(weight, highest)
    assert np.frexp(applied.query)[0] == 0.5
    if applied.rescore != 1.0:
        assert applied.query / applied.rescore == pytest.approx(weight)
        assert 0.7 < applied.rescore < 1.42


@pytest.mark.parametrize("case", WEIGHT_CASES)
def test_weights_are_those_that_the_java_client_gives(case: dict[str, float]) -> None:
    applied = vector_weights(case["first_stage_weight"], case["highest"])
    assert (applied.query, applied.rescore) == (case["query"], case["rescore"])


def test_the_least_weight() -> None:
    assert least_weight(20.0) == least_weight(0.0) == least_weight(1024.0) == 2.0**-40
    assert least_weight(2.0**20) == 2.0**-50
    assert least_weight(3e38) == 2.0**-126
    assert least_weight(float("inf")) == 2.0**-40


@given(st.lists(scores, min_size=1, max_size=60), st.data())
def test_an_order_by_id_is_kept_and_the_rest_stays_behind_in_first_stage_order(
    first: list[float], data: st.DataObject
) -> None:
    plain = sorted(range(len(first)), key=lambda hit: (-F(first[hit]), hit))
    window = data.draw(st.integers(1, len(first)))
    moved = data.draw(st.permutations(plain[:window]))
    highest = max(first)
    clause = order_rescorer([Place("i", str(hit)) for hit in moved], highest, window)
    boosts = boosts_of(clause)
    applied = Weights(clause["query"]["query_weight"], clause["query"]["rescore_query_weight"])
    ordered = rescore(first, {int(p.id): boost for p, boost in boosts.items()}, applied, window)
    assert [hit for hit, _ in ordered] == [*moved, *plain[window:]]


def boosts_of(rescorer: Mapping[str, Any]) -> dict[Place, float]:
    boosts = {}
    for clause in rescorer["query"]["rescore_query"]["bool"]["should"]:
        term, ids = clause["constant_score"]["filter"]["bool"]["filter"]
        (id_,) = ids["ids"]["values"]
        boosts[Place(term["term"]["_index"], id_)] = clause["constant_score"]["boost"]
    return boosts


def test_an_order_names_every_hit_by_index_and_id_with_falling_boosts() -> None:
    rescorer = order_rescorer(PLACES, 10.0, 50)
    assert boosts_of(rescorer) == {PLACES[0]: 3.0, PLACES[1]: 2.0, PLACES[2]: 1.0}
    assert rescorer["window_size"] == 50
    assert by_order(PLACES) == rescorer["query"]["rescore_query"]


def test_hits_are_named_index_by_index() -> None:
    assert among(PLACES[:1]) == {
        "bool": {"filter": [{"term": {"_index": "a"}}, {"ids": {"values": ["1"]}}]}
    }
    parts = among(PLACES)["bool"]["should"]
    assert [part["bool"]["filter"][1]["ids"]["values"] for part in parts] == [["1", "2"], ["1"]]


def test_a_script_scores_documents_that_have_the_vector() -> None:
    clause = by_script(EngineKind.OPENSEARCH, "v", VECTOR, 2.0)
    score = clause.query["script_score"]
    assert score["query"] == {"bool": {"filter": [{"exists": {"field": "v"}}]}}
    assert score["script"]["lang"] == "knn"
    assert score["script"]["params"]["query_value"] == pytest.approx([0.6, 0.8])
    assert clause.unit == 2.0
    exact = by_script(EngineKind.ELASTICSEARCH, "v", VECTOR, 1.0, PLACES)
    score = exact.query["script_score"]
    assert score["query"]["bool"]["filter"][1] == among(PLACES)
    assert "cosineSimilarity" in score["script"]["source"]


def test_knn_is_asked_for_as_many_as_the_filter_lets_through() -> None:
    """Then both engines compute it exactly."""
    clause = by_knn(EngineKind.OPENSEARCH, "v", VECTOR, PLACES)
    asked = clause.query["knn"]["v"]
    assert (asked["k"], asked["filter"], clause.unit) == (3, among(PLACES), 2.0)
    asked = by_knn(EngineKind.ELASTICSEARCH, "v", VECTOR, PLACES).query["knn"]
    assert (asked["k"], asked["num_candidates"], asked["field"]) == (3, 3, "v")
    assert "rescore_vector" not in asked
    asked = by_knn(EngineKind.ELASTICSEARCH, "v", VECTOR, PLACES, quantized=True).query["knn"]
    assert asked["rescore_vector"] == {"oversample": 1.0}


def test_the_unit_of_a_clause_enters_its_weight() -> None:
    clause = by_knn(EngineKind.OPENSEARCH, "v", VECTOR, PLACES)
    made = vector_rescorer(clause, Weights(0.5, 1.25), 100)
    assert made["query"]["query_weight"] == 0.5
    assert made["query"]["rescore_query_weight"] == 2.5
    assert made["query"]["score_mode"] == "total"


def test_ours_comes_behind_the_users_own() -> None:
    ours = order_rescorer(PLACES, 1.0, 5)
    own = {"window_size": 3, "query": {}}
    assert with_rescore({"size": 1}, [ours])["rescore"] == [ours]
    assert with_rescore({"rescore": own}, [ours])["rescore"] == [own, ours]
    body = {"rescore": [own, own]}
    assert with_rescore(body, [ours])["rescore"] == [own, own, ours]
    assert body == {"rescore": [own, own]}
