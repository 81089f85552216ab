from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evaluation.collections import Collection
from evaluation.experiment import Outcome, Through, judge, unranked
from evaluation.measures import Scores
from evaluation.report import p_text, results_table, signals_line, verdict, write_runs
from evaluation.runs import ScoredDocument, read_run
from evaluation.session import EvaluationOptions, evaluate
from evaluation.strategies import grid, parse_variants
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SettingsError

MODEL = ModelOptions(name="all-minilm-l6-v2")


def options(run_file: Path, tmp_path: Path, strategies: str) -> EvaluationOptions:
    return EvaluationOptions(
        variants=parse_variants(strategies),
        k=10,
        run=run_file,
        through=Through.MEMORY,
        model=MODEL,
        cache=tmp_path / "cache",
    )


async def test_a_run_is_ranked_and_tested_against_its_own_order(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    done = await evaluate(tiny, options(run_file, tmp_path, "none,query,e2rank:query=1"))
    document = done.to_json(per_query=True)
    assert (document["dataset"], document["k"], document["queries"]) == ("tiny", 10, 3)
    assert document["through"] == "memory"
    assert document["first_stage"] == {"run": "first.trec"}
    assert document["model"]["name"] == "all-minilm-l6-v2"
    none, query, same = document["results"]
    assert none["p_value_vs_none"] is None
    assert query["signals"] == {"query": 1.0}
    assert 0 < query["p_value_vs_none"] <= 1
    assert query["nDCG@10"] > none["nDCG@10"]
    assert query["statuses"] == {"reranked": 2, "partial": 1}
    assert query["reasons"] == {"no_vector_and_no_text:1": 1}
    assert set(query["per_query"]) == {"q1", "q2", "q3"}
    # The same weights by another name are the same ranking.
    assert (same["nDCG@10"], same["vs_query"]["difference"]) == (query["nDCG@10"], 0.0)
    left = unranked([one.outcome for one in done.results])
    assert left == {"no_vector_and_no_text:1": 2}


async def test_a_strategy_is_tested_against_the_first_stage_though_only_it_was_asked_for(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    both = await evaluate(tiny, options(run_file, tmp_path, "none,query"))
    alone = await evaluate(tiny, options(run_file, tmp_path, "query"))
    (row,) = alone.to_json()["results"]
    assert row["p_value_vs_none"] is not None
    assert row == both.to_json()["results"][1]


async def test_the_first_stage_alone_needs_no_model(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    done = await evaluate(tiny, options(run_file, tmp_path, "none"))
    assert done.model == {}
    assert unranked([one.outcome for one in done.results]) == {}


async def test_runs_are_written_one_a_strategy(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    done = await evaluate(tiny, options(run_file, tmp_path, "none,e2rank:query=1,first_stage=0.1"))
    paths = write_runs(tmp_path / "out", done.results, "tiny")
    assert [path.name for path in paths] == [
        "tiny.none.trec",
        "tiny.e2rank_query=1_first_stage=0.1.trec",
    ]
    for path, result in zip(paths, done.results, strict=True):
        read = read_run(path)
        for query, found in result.outcome.run.items():
            assert [one.id for one in read[query]] == [one.id for one in found]


async def test_the_report_names_strategies_and_signals(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    done = await evaluate(tiny, options(run_file, tmp_path, "none,rocchio"))
    table = results_table(done.results, "tiny")
    assert list(table.columns[0].cells) == ["none", "rocchio"]
    assert signals_line(done.results) == "rocchio = rocchio 1"


async def test_only_the_window_of_a_strategy_is_put_in_order(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    variants = grid(parse_variants("none,query"), (1, 2, 10))
    chosen = replace(options(run_file, tmp_path, "none"), variants=variants)
    document = (await evaluate(tiny, chosen)).to_json()
    none, one, two, _ = document["results"]
    assert [row["window"] for row in document["results"]] == [None, 1, 2, 10]
    assert one["nDCG@10"] == none["nDCG@10"]  # one hit alone has but one order
    assert two["nDCG@10"] > none["nDCG@10"]  # "oven", which is not relevant, stood before "bread"
    for row in (one, two):
        assert row["p_value_holm"] >= row["p_value_vs_none"]
    assert none["p_value_holm"] is None


def test_the_table_of_a_sure_gain_fits_a_terminal_of_80_columns() -> None:
    collection = Collection("made", "test", {}, {}, {str(n): {"good": 1} for n in range(400)})
    outcomes = [scored("none", [0.0] * 400), scored("query", [1.0] * 399 + [-1.0])]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(results_table(judge(collection, outcomes), "made"))
    shown = console.export_text()
    assert "<1e-4" in shown
    assert "399/1" in shown
    assert shown.splitlines()[1].endswith("┓")


@pytest.mark.parametrize(
    ("value", "said"),
    [(1e-5, "<1e-4"), (0.00051, "5e-04"), (0.0124, "0.012"), (0.031, "0.031"), (1.0, "1")],
)
def test_a_p_value_takes_five_characters_at_most(value: float, said: str) -> None:
    assert p_text(value) == said
    assert len(said) <= 5


async def test_the_table_of_a_grid_fits_a_terminal_of_80_columns(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    variants = grid(parse_variants("none,e2rank"), (5, 10), (1, 2))
    done = await evaluate(tiny, replace(options(run_file, tmp_path, "none"), variants=variants))
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(results_table(done.results, "tiny"))
    shown = console.export_text()
    for text in ("strategy", "e2rank", "window", "hits", "95 % interval"):
        assert text in shown
    assert "…" not in shown.replace(" … ", "")


def scored(label: str, gains: Sequence[float]) -> Outcome:
    """A strategy that moves each query's one relevant document up where its gain is above 0."""
    (variant,) = parse_variants(label)
    orders = {0.0: ("x", "good"), 1.0: ("good", "x"), -1.0: ("x", "y", "good")}
    return Outcome(
        variant,
        {
            str(query): [ScoredDocument(id_, -float(place)) for place, id_ in enumerate(orders[g])]
            for query, g in enumerate(gains)
        },
        {},
    )


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ([1.0] * 8, r"Reranking helps: query makes \+0\.3691 .*8 queries won, 0 lost\.$"),
        ([1.0, -1.0, 0.0, 0.0], "No gain that is more than luck: query, the best, makes"),
        ([-1.0] * 8, "Reranking does harm: even query, the best, makes"),
    ],
)
def test_the_verdict_is_what_the_test_gives(gains: list[float], said: str) -> None:
    collection = Collection(
        "made", "test", {}, {}, {str(n): {"good": 1} for n in range(len(gains))}
    )
    none, query = judge(collection, [scored("none", [0.0] * len(gains)), scored("query", gains)])
    assert re.match(said, verdict([none, query])), verdict([none, query])
    assert verdict([none]) == "Nothing was compared with the first stage."


def test_the_best_of_several_is_said_to_be_picked() -> None:
    collection = Collection("made", "test", {}, {}, {str(n): {"good": 1} for n in range(8)})
    outcomes = [scored("none", [0.0] * 8), scored("query", [1.0] * 8), scored("rocchio", [0.0] * 8)]
    said = verdict(judge(collection, outcomes))
    assert "query makes" in said
    assert "Holm's over 2 strategies" in said
    assert "picked on these very queries" in said


def test_the_verdict_is_of_the_best_that_is_sure_though_another_gained_more() -> None:
    collection = Collection("made", "test", {}, {}, {str(n): {"good": 1} for n in range(10)})
    none = scored("none", [0.0] * 10)
    few = scored("rocchio", [1.0] * 3 + [0.0] * 7)
    many = scored("query", [1.0] * 9 + [0.0])
    results = judge(collection, [none, few, many])
    assert verdict(results).startswith("Reranking helps: query makes")
    # A larger mean by few queries is no surer.
    larger = replace(results[1], scores=Scores(("0",), {"nDCG@10": np.array([1.0])}))
    assert verdict([results[0], larger, results[2]]).startswith("Reranking helps: query makes")


def test_a_run_cannot_go_through_the_engine(run_file: Path) -> None:
    with pytest.raises(SettingsError, match="ranked in memory"):
        EvaluationOptions(parse_variants("none"), run=run_file, through=Through.ENGINE)


async def test_the_table_fits_a_terminal_of_80_columns(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    done = await evaluate(tiny, options(run_file, tmp_path, "none,e2rank:query=1,first_stage=0.1"))
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(results_table(done.results, "tiny"))
    shown = console.export_text()
    for text in ("strategy", "none", "won/lost", "95 % interval"):
        assert text in shown
    assert "…" not in shown.replace(" … ", "")


def test_a_query_that_finds_nothing_is_no_failure() -> None:
    (query,) = parse_variants("query")
    reasons = {"no_hits": 3, "overloaded": 1}
    assert unranked([Outcome(query, {}, {}, reasons=reasons)]) == {"overloaded": 1}
