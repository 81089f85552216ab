from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from evaluation.collections import Collection
from evaluation.experiment import Outcome, Through, unranked
from evaluation.report import results_table, signals_line, write_runs
from evaluation.runs import read_run
from evaluation.session import EvaluationOptions, evaluate
from evaluation.strategies import parse_variants
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
