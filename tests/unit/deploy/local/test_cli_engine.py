from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.local import RunningNode
from plugin.ranking.errors import LocalEngineError, SettingsError, UsageError
from rankside.cli.engine import app

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def empty_home(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without engines, JDK or Maven."""
    monkeypatch.setenv("RANKSIDE_HOME", str(open_folder))
    monkeypatch.setenv("PATH", "/nonexistent")


def rankside_engine(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_status_of_an_engine_that_is_not_running() -> None:
    result = rankside_engine("status", "--engine", "elasticsearch")
    assert (result.exit_code, result.stdout) == (3, "elasticsearch is not running\n")


def test_status_as_json() -> None:
    result = rankside_engine("status", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout) == {"engine": "opensearch", "running": False}


def test_status_as_url_prints_nothing_if_there_is_none() -> None:
    result = rankside_engine("status", "--url-only")
    assert (result.exit_code, result.stdout) == (3, "")


def test_down_is_fine_when_nothing_runs() -> None:
    assert rankside_engine("down").stdout == "opensearch was not running\n"
    result = rankside_engine("down", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"engine": "opensearch", "stopped": False}


def test_another_engine_is_a_usage_error() -> None:
    assert rankside_engine("up", "--engine", "solr").exit_code == 2


def test_what_is_missing_reaches_the_root_command_as_one_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deploy.local.service.find_jdk", lambda _lowest: None)
    assert isinstance(rankside_engine("up").exception, LocalEngineError)


def test_a_wrong_heap_is_refused_before_anything_is_fetched(open_folder: Path) -> None:
    assert isinstance(rankside_engine("up", "--heap", "lots").exception, SettingsError)
    assert not (open_folder / "engines").exists()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What nodes were asked to start with; none is."""
    asked: list[dict[str, Any]] = []

    def up(*_words: object, **options: object) -> RunningNode:
        asked.append(options)
        home = Path("/home")
        return RunningNode("http://127.0.0.1:1", 1, "opensearch", "9", home, home / "log", "1g")

    monkeypatch.setattr("deploy.local.up", up)
    monkeypatch.setattr(
        "deploy.local.build_plugin", lambda engine, **_options: Path(f"{engine}.zip")
    )
    return asked


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["--plugin"], "opensearch.zip"),
        (["--plugin", "--heap", "512m"], "opensearch.zip"),
        (["--plugin", "--engine", "elasticsearch"], "elasticsearch.zip"),
        (["--plugin", "mine.zip"], "mine.zip"),
        (["--plugin=mine.zip", "--json"], "mine.zip"),
        (["--heap", "512m"], None),
    ],
)
def test_a_bare_plugin_is_built_and_one_with_a_path_is_taken(
    started: list[dict[str, Any]], words: list[str], given: str | None
) -> None:
    assert rankside_engine("up", *words).exit_code == 0
    assert [options["plugin"] for options in started] == [Path(given) if given else None]


def test_settings_of_the_node_are_names_and_values(started: list[dict[str, Any]]) -> None:
    words = ["--setting", "rankside.sidecar.url=http://a:1/?b=c", "--setting", "node.attr.empty="]
    assert rankside_engine("up", "--plugin", *words).exit_code == 0
    assert started[0]["settings"] == {
        "rankside.sidecar.url": "http://a:1/?b=c",
        "node.attr.empty": "",
    }


@pytest.mark.parametrize("written", ["rankside.sidecar.url", "=http://a:1"])
def test_a_setting_without_name_or_value_starts_nothing(
    started: list[dict[str, Any]], written: str
) -> None:
    error = rankside_engine("up", "--setting", written).exception
    assert isinstance(error, UsageError)
    assert str(error) == f"--setting {written}: write NAME=VALUE"
    assert started == []


def test_home_stands_in_for_the_environment(open_folder: Path) -> None:
    rankside_engine("status", "--home", str(open_folder / "other"))
    assert (open_folder / "other").is_dir()


def test_neither_torch_nor_an_http_client_is_loaded_for_it() -> None:
    code = "import sys; import deploy.local; print('torch' in sys.modules, 'httpx' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert said.stdout == "False False\n"
