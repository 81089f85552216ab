from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from evaluation.collections import Collection
from evaluation.experiment import Through
from evaluation.quality_page import BEGIN, END
from evaluation.results_page import app
from evaluation.session import EvaluationOptions, evaluate
from evaluation.strategies import parse_variants
from plugin.models.options import ModelOptions


async def test_the_tables_hold_what_was_measured(
    tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    options = EvaluationOptions(
        parse_variants("none,query"),
        run=run_file,
        through=Through.MEMORY,
        model=ModelOptions(name="all-minilm-l6-v2"),
        cache=tmp_path / "cache",
    )
    document = (await evaluate(tiny, options)).to_json()
    measured, page = tmp_path / "tiny.json", tmp_path / "results.md"
    measured.write_text(json.dumps(document), "utf-8")
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    done = CliRunner().invoke(app, [str(page), str(measured), "--commit", "abc123"])
    assert done.exit_code == 0, done.output

    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "## tiny, test queries" in text
    none, query = document["results"]
    assert f"| none | {none['nDCG@10']:.4f} |  |" in text
    assert f"| query | {query['nDCG@10']:.4f} | {query['vs_none']['difference']:+.4f} |" in text
    assert f"{query['R@100']:.4f} | {query['Judged@10']:.4f} |" in text
    assert "| 3, 0 | 1 |" in text  # won and lost, and the one search that was not all reranked
    for told in ("abc123", document["date"][:10], "first.trec", document["machine"]["processor"]):
        assert told in text


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"{BEGIN}\n{END}", "utf-8")
    done = CliRunner().invoke(app, [str(page), str(tmp_path / "none.json"), "--commit", "abc"])
    assert done.exit_code == 1
    assert "cannot be read as JSON" in done.output
