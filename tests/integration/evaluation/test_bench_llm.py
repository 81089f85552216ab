"""`make bench-llm` once, short: that it measures, not how much."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from evaluation.bench_llm import app


def test_rankings_are_told_apart_by_whether_the_llm_was_asked() -> None:
    arguments = ["--requests", "12", "--queries", "3", "--seconds", "0.05", "--json", "-"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    (figures,) = measured["sections"].values()
    asked, kept = figures["the LLM asked"], figures["answer kept"]
    assert asked["n"] == measured["queries"] <= 3
    assert asked["n"] + kept["n"] == measured["requests"] == 12
    assert measured["hit_ratio"] == round(kept["n"] / 12, 4)
    assert measured["kept_in"] == "memory"
