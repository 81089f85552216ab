"""What `rankside tune` says before it does anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plugin.ranking.errors import SettingsError
from rankside.cli.root import app
from tests.judged import write_judged
from tests.tiny import write_collection, write_first_stage


def tune(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["tune", *map(str, arguments)])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of nobody, and a folder of its own for what is remembered."""
    import os

    for name in [name for name in os.environ if name.startswith("RANKSIDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANKSIDE_HOME", str(tmp_path / "home"))


def test_a_dry_run_says_what_it_would_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANKSIDE_LLM__URL", "http://127.0.0.1:9/v1")
    folder = write_judged(tmp_path / "articles")
    run = ("--run", folder / "poor.trec")
    told = tune(folder, *run, "--dry-run", "--llm-calls", "200")
    assert told.exit_code == 0, told.output
    assert "30 queries in 5 folds" in told.stdout
    assert "LLM: 150 calls (5 score modes, 30 queries)" in told.stdout
    assert not (tmp_path / "home").exists()  # nothing was encoded, so nothing is remembered
    assert "LLM: not asked" in tune(folder, *run, "--dry-run").stdout


def test_a_dry_run_without_a_run_starts_no_engine(tmp_path: Path) -> None:
    told = tune(write_judged(tmp_path / "articles"), "--dry-run", "--sample", "25")
    assert told.exit_code == 0, told.output
    assert "25 queries in 5 folds" in told.stdout
    assert "64 documents" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "3 judged queries are too few"),
        (("--window", "many"), "--window is 'many'; give whole numbers from 1"),
        (("--llm-calls", "50"), "no LLM is named"),
        (("--write", "tuned.yaml"), "has to end in .toml"),
        (("--split", "train"), "train.tsv cannot be read"),
        (("--index", "articles"), "leave out --index"),
        (("--vector-field", "v"), "are about your own index"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    folder = write_collection(tmp_path / "tiny")
    run = write_first_stage(tmp_path / "first.trec")
    told = tune(folder, "--split", "test", "--run", run, *arguments)
    assert isinstance(told.exception, SettingsError)
    assert message in str(told.exception)
    assert told.stdout == ""


def test_a_settings_file_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    folder = write_judged(tmp_path / "articles")
    theirs = tmp_path / "rankside.toml"
    theirs.write_text("[engine]\n", "utf-8")
    told = tune(folder, "--run", folder / "poor.trec", "--write", theirs)
    assert "was not written by `rankside tune`" in str(told.exception)
    assert theirs.read_text("utf-8") == "[engine]\n"
