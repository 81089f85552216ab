"""`rankside plan`, `apply`, `destroy` and `doctor` as typed, against a real node and sidecar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner, Result

from plugin.ranking.errors import EngineError, UsageError
from rankside.cli import doctor, pipelines

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(pipelines.plan)
app.command()(pipelines.apply)
app.command()(pipelines.destroy)
app.command()(doctor.doctor)

Run = Callable[..., Result]
STOCK = ("--path", "stock")
SETTINGS = "cluster settings plugins.ml_commons"


@pytest.fixture
def run(opensearch_url: str, sidecar_url: str) -> Iterator[Run]:
    """Type a command for names of this test alone; all of it is removed in the end."""
    name = f"test-cli-{uuid4().hex[:8]}"

    def typed(command: str, *words: str) -> Result:
        common = ["--url", opensearch_url, "--name", name]
        if command != "destroy":
            common += ["--sidecar", sidecar_url, "--index-pattern", f"{name}-*"]
        return CliRunner().invoke(app, [command, *common, *words])

    yield typed
    typed("destroy", "--yes")


def printed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_from_plan_to_nothing_to_do_to_nothing_left(run: Run) -> None:
    planned = printed(run("plan", *STOCK, "--json"))
    assert planned["pending"] == 10
    first, *rest = planned["changes"]
    assert (first["resource"], first["action"]) == (SETTINGS, "unchanged")
    assert all(change["diff"] for change in rest)
    applied = printed(run("apply", *STOCK, "--yes", "--json"))
    assert {change.get("outcome") for change in applied["changes"][1:]} == {"done"}
    again = run("apply", *STOCK, "--yes")
    assert again.exit_code == 0
    assert again.stdout.rstrip().endswith("nothing to do")
    changed = run("plan", *STOCK, "--only", "template", "--shards", "3")
    assert '-        "number_of_shards": 1' in changed.stdout
    assert '+        "number_of_shards": 3' in changed.stdout
    removed = printed(run("destroy", "--yes", "--json"))
    assert {change["action"] for change in removed["changes"]} == {"delete"}
    assert "nothing to do" in run("destroy").stdout


def test_nothing_is_changed_unasked(run: Run) -> None:
    for words in ((), ("--json",)):
        error = run("apply", *words).exception
        assert isinstance(error, UsageError)
        assert "say --yes" in str(error)
    assert printed(run("plan", "--json"))["pending"] == 1


@pytest.mark.parametrize(
    ("sidecar", "index", "code"),
    [(None, None, 0), ("http://127.0.0.1:9", None, 4), (None, "test-cli-missing", 3)],
)
def test_the_doctors_exit_code(
    opensearch_url: str, sidecar_url: str, sidecar: str | None, index: str | None, code: int
) -> None:
    words = ["doctor", "--url", opensearch_url, "--sidecar", sidecar or sidecar_url, "--json"]
    words += ["--index", index] if index else []
    result = CliRunner().invoke(app, words)
    report = json.loads(result.stdout)
    assert result.exit_code == report["exit"] == code
    problems = [one for one in report["findings"] if one["level"] == "problem"]
    assert bool(problems) is (code != 0)
    assert all(one["remedy"] for one in problems)


def test_the_doctor_shows_a_line_a_check_and_the_remedy_below(sidecar_url: str) -> None:
    words = ["doctor", "--url", "http://127.0.0.1:9", "--sidecar", sidecar_url]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0].startswith("✓ settings")
    assert lines[1].startswith("✗ engine")
    assert "→ give --url" in lines[2]
    assert any(line.startswith("- version") for line in lines)


def test_settings_that_do_not_load_are_the_one_finding() -> None:
    result = CliRunner().invoke(app, ["doctor", "--config", "nowhere.toml", "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == report["exit"] == 2
    assert [one["name"] for one in report["findings"]] == ["settings"]


def test_a_path_whose_plugin_is_missing_is_refused_in_one_sentence(run: Run) -> None:
    error = run("plan", "--path", "plugin").exception
    assert isinstance(error, EngineError)
    assert str(error) == (
        "this OpenSearch cluster lacks the plugin rankside on any node; install it, or apply the "
        "rest with --only template"
    )
    assert printed(run("plan", "--path", "plugin", "--only", "template", "--json"))["pending"] == 1
