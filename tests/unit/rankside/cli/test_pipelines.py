"""What the commands make of what is typed, short of an engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from plugin.ranking.errors import SettingsError, SidecarUnavailable, UsageError
from rankside.cli import pipelines

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(pipelines.plan)
app.command()(pipelines.apply)
app.command()(pipelines.destroy)
ENGINE = ("--url", "http://127.0.0.1:9")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("command", ["plan", "apply", "destroy"])
def test_an_unknown_part_is_named_with_those_there_are(command: str) -> None:
    error = run(command, *ENGINE, "--only", "template,serch").exception
    assert isinstance(error, UsageError)
    assert str(error) == "--only template,serch: name some of cluster, template, ingest, search"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--name", "Upper"), "pipelines.name = 'Upper' is wrong"),
        (("--text-fields", "a,a"), "must be different fields"),
        (("--engine-sidecar", "sidecar:8080"), "pipelines.engine_sidecar"),
        (("--config", "nowhere.toml"), "settings file nowhere.toml cannot be read"),
    ],
)
def test_a_wrong_value_names_key_and_value(words: tuple[str, ...], message: str) -> None:
    error = run("plan", *ENGINE, *words).exception
    assert isinstance(error, SettingsError)
    assert message in str(error)


def test_a_settings_file_says_what_is_wanted(tmp_path: Path) -> None:
    config = tmp_path / "rankside.toml"
    config.write_text('[pipelines]\nname = "No Good"\n', encoding="utf-8")
    error = run("plan", *ENGINE, "--config", str(config)).exception
    assert "setting pipelines.name = 'No Good' is wrong" in str(error)


def test_help_names_every_option_of_the_contract() -> None:
    shown = run("apply", "--help").output
    for option in (
        "--index-pattern",
        "--name",
        "--model",
        "--dimensions",
        "--path",
        "--only",
        "--json",
    ):
        assert option in shown


def test_errors_of_the_far_side_are_not_swallowed() -> None:
    error = run("plan", *ENGINE, "--sidecar", "http://127.0.0.1:9").exception
    # The engine is asked first: nothing answers at that port.
    assert error is not None
    assert not isinstance(error, SidecarUnavailable)
    assert "RANKSIDE_ENGINE__URL" in str(error)
