"""Steps as rescorers, by the cases that the OpenSearch plugin's tests run too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.rescore import Place, VectorClause, Weights
from connectors.steps import ByOrder, ByVector, Judgement, Step, rescorers
from connectors.window import WindowHit
from plugin.ranking.hits import Hit

FILE = Path(__file__).parents[2] / "cases" / "rescorers.json"
CASES = json.loads(FILE.read_text("utf-8"))
VECTOR = VectorClause({"match_all": {}}, 1.0)


def step_of(given: Mapping[str, Any]) -> Step:
    if "ordered" in given:
        return ByOrder(tuple(Place("i", str(number)) for number in range(given["ordered"])))
    return ByVector(VECTOR, Weights(given["query"], given["rescore"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_steps_are_the_rescorers_that_the_plugin_makes_of_them(case: Mapping[str, Any]) -> None:
    hits = [
        WindowHit(Place("i", str(number)), Hit(str(number), score, None))
        for number, score in enumerate(case["scores"])
    ]
    made = rescorers(Judgement(tuple(map(step_of, case["steps"]))), hits, case["window"])
    assert [
        {name: one["query"][name] for name in ("query_weight", "rescore_query_weight")}
        for one in made
    ] == case["rescorers"]
    assert {one["window_size"] for one in made} == {case["window"]}
