"""`rankside clicks` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.cli.root import app

VOTE = {"query_id": "q1", "strategies": ["none", "e2rank"], "preferred": "e2rank"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({**VOTE, "query_id": f"q{n}"}) for n in range(12)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_the_preference_is_told_and_written(log: Path, tmp_path: Path) -> None:
    report = tmp_path / "out" / "report.json"
    done = CliRunner().invoke(app, ["clicks", str(log), "--json", str(report), "--per-query"])
    assert done.exit_code == 0, done.output
    assert "e2rank is preferred to none" in done.stdout
    (result,) = json.loads(report.read_text("utf-8"))["results"]
    assert result["votes"]["preference_share"] == 1.0
    assert result["queries"]["p_value"] == pytest.approx(2 / 2**12)
    assert len(result["per_query"]) == 12


def test_json_on_standard_output_is_nothing_but_json(log: Path) -> None:
    done = CliRunner().invoke(app, ["clicks", str(log), str(log), "--json", "-"])
    assert json.loads(done.stdout)["lines"] == 24


def test_wrong_lines_are_named_and_told_by_the_exit_code(log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    done = CliRunner().invoke(app, ["clicks", str(log)])
    assert isinstance(done.exception, PartlyDone)
    assert "1 of 13 lines are no votes" in str(done.exception)
    assert "line 13 is not JSON" in done.stderr
    assert "12/0/0" in done.stdout


def test_a_place_that_cannot_be_written_is_told_first(log: Path) -> None:
    done = CliRunner().invoke(app, ["clicks", str(log), "--json", str(log / "inner")])
    assert isinstance(done.exception, SettingsError)
    assert done.stdout == ""
