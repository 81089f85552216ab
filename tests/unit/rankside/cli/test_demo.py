"""`rankside demo` around its steps: where it finds engine and sidecar, and what it tells you."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from connectors.options import EngineOptions
from connectors.options import SidecarClientOptions as SidecarOptions
from deploy import local
from plugin.ranking.errors import SettingsError
from rankside.cli.console import called_as
from rankside.cli.demo import PATIENCE
from rankside.cli.root import app
from rankside.demo import background, corpus, ingest, run
from rankside.demo.corpus import BeirCounts
from rankside.demo.report import Report

NODE = "http://127.0.0.1:9201"
STARTED = "http://127.0.0.1:49152"
REPORT = Report(
    documents=4,
    queries=2,
    judgments=3,
    model="words (16 dimensions)",
    engine="opensearch 3",
    machine="a toaster",
    quality=[],
    latency=[],
    examples=[],
    seconds={"node": 1.0},
)

Demo = Callable[..., Result]


@pytest.fixture
def calls() -> dict[str, Any]:
    """What the steps were given."""
    return {}


@pytest.fixture
def demo(calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Demo:
    """Runs the command, every step of which only notes what it was given."""

    def up(engine: str, *, progress: Callable[[str, float], None]) -> SimpleNamespace:
        progress("fetching", 0.5)
        calls["node"] = engine
        return SimpleNamespace(url=NODE)

    def start(arguments: Sequence[str]) -> SimpleNamespace:
        calls["sidecar"] = arguments
        return SimpleNamespace(url=STARTED)

    async def ingest_corpus(*given: Any) -> None:
        calls["ingest"] = given

    async def compare_systems(*given: Any) -> Report:
        calls["searches"] = given
        return REPORT

    monkeypatch.setenv("RANKSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(local, "up", up)
    monkeypatch.setattr(background, "start", start)
    monkeypatch.setattr(corpus, "write_beir", lambda _folder: BeirCounts(4, 2, 3, 0))
    monkeypatch.setattr("evaluation.collections.load_collection", lambda folder: folder)
    monkeypatch.setattr(ingest, "ingest_corpus", ingest_corpus)
    monkeypatch.setattr(run, "compare_systems", compare_systems)
    monkeypatch.setattr(sys, "argv", [".venv/bin/rankside", "demo"])
    return lambda *words: CliRunner().invoke(app, ["demo", *words])


def printed(result: Result, label: str) -> list[str]:
    """The words of the command that is printed behind ``label``, on one line."""
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith(f"{label}: ")]
    return shlex.split(lines[0].removeprefix(f"{label}: ")) if lines else []


def test_the_search_to_try_names_the_sidecar_that_the_demo_started(demo: Demo) -> None:
    words = printed(demo(), "Try")
    assert words[:2] == [".venv/bin/rankside", "search"]
    assert words[words.index("--sidecar") + 1] == STARTED
    assert words[words.index("--index") + 1] == "rankside-demo"
    assert "--url" not in words, "a local node is found without"


def test_the_search_to_try_names_the_addresses_that_were_typed(demo: Demo) -> None:
    words = printed(demo("--url", "http://e:9200", "--sidecar", "http://s:8080"), "Try")
    assert words[words.index("--url") + 1] == "http://e:9200"
    assert words[words.index("--sidecar") + 1] == "http://s:8080"


def test_every_printed_command_can_be_parsed(demo: Demo) -> None:
    result = demo()
    for label in ("Try", "Stop it all"):
        _, name, *words = printed(result, label)
        command = get_command(app).commands[name]  # type: ignore[attr-defined]
        command.make_context(name, words)


def test_what_the_demo_did_not_start_it_does_not_offer_to_stop(demo: Demo) -> None:
    result = demo("--url", "http://e:9200", "--sidecar", "http://s:8080")
    assert printed(result, "Stop it all") == []
    assert printed(demo(), "Stop it all") == [".venv/bin/rankside", "demo", "--stop"]


def test_an_engine_and_a_sidecar_that_are_set_are_used_and_none_is_started(
    demo: Demo, calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_ENGINE__URL", "http://e:9200")
    monkeypatch.setenv("RANKSIDE_ENGINE__API_KEY", "secret")
    monkeypatch.setenv("RANKSIDE_CLIENT__URL", "http://s:8080")
    monkeypatch.setenv("RANKSIDE_CLIENT__API_KEY", "hush")

    words = printed(demo(), "Try")

    assert calls.keys() == {"ingest", "searches"}
    for step in calls.values():
        engine, client = (one for one in step if isinstance(one, EngineOptions | SidecarOptions))
        assert (engine.url, engine.api_key.get_secret_value()) == ("http://e:9200", "secret")
        assert (client.url, client.api_key.get_secret_value()) == ("http://s:8080", "hush")
    assert words[3:] == ["--index", "rankside-demo"], "a search finds by itself what is set"


def test_the_settings_file_that_is_named_is_read_and_named_again(
    demo: Demo, calls: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "rankside.toml"
    file.write_text('[engine]\nurl = "http://e:9200"\n[client]\ntimeout = 7\n')

    words = printed(demo("--config", str(file)), "Try")

    client = calls["ingest"][3]
    assert (client.url, client.timeout) == (STARTED, 7)
    assert "node" not in calls
    assert words[words.index("--config") + 1] == str(file)


def test_a_sidecar_has_longer_than_a_search_allows_unless_set(
    demo: Demo, calls: dict[str, Any]
) -> None:
    assert demo().exit_code == 0
    assert calls["ingest"][3].timeout == PATIENCE


def test_a_wrong_address_ends_it_before_anything_is_started(
    demo: Demo, calls: dict[str, Any]
) -> None:
    for option in ("--url", "--sidecar"):
        assert isinstance(demo(option, "localhost").exception, SettingsError)
    assert calls == {}


def test_the_sidecar_serves_the_documented_model_unless_one_is_set(
    demo: Demo, calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert demo().exit_code == 0
    assert calls["sidecar"] == ["--model", "all-minilm-l6-v2"]

    monkeypatch.chdir(tmp_path)
    Path("rankside.toml").write_text('[model]\nname = "e2rank-0.6b"\n')
    assert demo("--config", "rankside.toml").exit_code == 0
    assert calls["sidecar"][:3] == ["--model", "e2rank-0.6b", "--config"]
    assert calls["sidecar"][3] == str(tmp_path / "rankside.toml")


def test_json_is_the_report_and_nothing_else(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "figures.md"
    result = demo("--json", "--markdown", str(file))
    assert json.loads(result.stdout) == REPORT.to_json()
    assert file.read_text() == REPORT.to_markdown() + "\n"


@pytest.mark.parametrize("bad", ["nowhere/figures.md", "."])
def test_a_file_that_cannot_be_written_is_told_of_before_anything_is_started(
    bad: str, demo: Demo, calls: dict[str, Any], tmp_path: Path
) -> None:
    result = demo("--markdown", str(tmp_path / bad))
    assert isinstance(result.exception, SettingsError)
    assert "--markdown" in str(result.exception)
    assert calls == {}


@pytest.mark.parametrize("words", [["--json"], []])
def test_a_finished_run_is_printed_even_if_its_file_cannot_be_written(
    words: list[str], demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    result = demo("--markdown", str(tmp_path / "figures.md"), *words)
    assert "toaster" in result.stdout
    assert isinstance(result.exception, SettingsError)
    assert "No space left" in str(result.exception)


@pytest.mark.parametrize("ran", [True, False])
def test_stop_says_what_ran(ran: bool, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []
    sidecar = SimpleNamespace(stop=lambda: stopped.append("sidecar")) if ran else None
    monkeypatch.setattr(background.BackgroundSidecar, "running", lambda: sidecar)
    monkeypatch.setattr(local, "down", lambda _engine: ran)

    assert json.loads(demo("--stop", "--json").stdout) == {
        "stopped": {"sidecar": ran, "opensearch": ran}
    }
    said = "stopped" if ran else "was not running"
    assert demo("--stop").stdout == f"sidecar {said}\nopensearch {said}\n"
    assert stopped == (["sidecar", "sidecar"] if ran else [])


@pytest.mark.parametrize(
    ("argv0", "found", "words"),
    [
        (".venv/bin/rankside", None, [".venv/bin/rankside"]),
        (".venv/bin/rankside", "/opt/bin/rankside", [".venv/bin/rankside"]),
        ("/opt/bin/rankside", "/opt/bin/rankside", ["rankside"]),
        ("/src/rankside/__main__.py", None, [sys.executable, "-m", "rankside"]),
    ],
)
def test_a_command_is_shown_as_it_was_called(
    argv0: str, found: str | None, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [argv0])
    monkeypatch.setattr("shutil.which", lambda _: found)
    assert called_as() == words
