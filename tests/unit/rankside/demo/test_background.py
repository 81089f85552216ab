"""The demo's sidecar, by a stand-in that is a few lines: started once, found, replaced, stopped."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import started_at
from plugin.ranking.errors import SidecarUnavailable
from rankside.demo import background
from rankside.demo.background import BackgroundSidecar

# Answers every GET with 200, and says in its log what it was started with.
SERVER = """
import http.server, os, sys
port, *arguments = sys.argv[2:]
if "--dies" in arguments:
    sys.exit("no such model")
print(arguments, os.environ.get("HF_HOME"), os.environ["HOME"], flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A home and a command of the test's own; nothing runs afterwards."""
    monkeypatch.setenv("RANKSIDE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def command(port: int) -> list[str]:
        return [sys.executable, "-c", SERVER, "rankside", str(port)]

    monkeypatch.setattr(background, "serve_command", command)
    yield
    left = BackgroundSidecar.running()
    if left is not None:
        left.stop()


def state(home: Path) -> Path:
    return home / "sidecar" / "state.json"


def test_a_sidecar_is_started_once_and_stopped() -> None:
    assert BackgroundSidecar.running() is None
    sidecar = background.start(["--model", "words"])
    assert background.start(["--model", "words"]) == BackgroundSidecar.running()
    assert background.start(["--model", "words"]).pid == sidecar.pid

    sidecar.stop()

    assert BackgroundSidecar.running() is None
    assert started_at(sidecar.pid) is None


def test_one_that_runs_with_other_arguments_is_replaced() -> None:
    first = background.start(["--model", "words"])
    second = background.start(["--model", "letters"])
    assert second.pid != first.pid
    assert started_at(first.pid) is None
    assert "letters" in Path(second.log).read_text()


def test_it_has_the_environment_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "the hub's cache")
    monkeypatch.setenv("HOME", "the user's home")
    sidecar = background.start()
    assert Path(sidecar.log).read_text().startswith("[] the hub's cache the user's home\n")


def test_one_that_ends_while_starting_is_told_of_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(SidecarUnavailable, match=r"ended .*: no such model; .*sidecar\.log"):
        background.start(["--dies"])
    assert not state(tmp_path).exists()


def test_one_that_is_not_ready_in_time_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.local_sidecar.START_TIMEOUT", 0)
    with pytest.raises(SidecarUnavailable, match="was not ready within 0 s"):
        background.start()
    assert BackgroundSidecar.running() is None


def test_a_pid_that_is_somebody_elses_by_now_is_not_ours(tmp_path: Path) -> None:
    sidecar = background.start()
    file = state(tmp_path)
    kept = file.read_text()
    for written in ("", "{}", "[]", kept.replace(str(sidecar.started), str(sidecar.started + 1))):
        file.write_text(written)
        assert BackgroundSidecar.running() is None, written
    file.write_text(kept)
    assert json.loads(kept)["pid"] == sidecar.pid
    assert BackgroundSidecar.running() is not None
