from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.distribution import Distribution
from deploy.local.node import Node, RunningNode
from deploy.local.process import started_at
from deploy.local.state import State
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError, SettingsError

from .conftest import FakeEngine

Start = Callable[..., RunningNode]

pytestmark = pytest.mark.usefixtures("not_root")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "node"


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts the node, which behaves as it is told; stopped after the test."""

    def started(behaviour: str = "green", **options: object) -> RunningNode:
        distribution = Distribution(FakeEngine(behaviour), home.parent, Jdk(Path("/jdk"), 25))
        return Node.start(distribution, home, **options)

    yield started
    Node(home).stop(grace=5)


def asked(running: RunningNode) -> dict[str, object]:
    port = int(running.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as sock, sock.makefile("rb") as answer:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return json.loads(answer.read().partition(b"\r\n\r\n")[2])


def test_a_node_runs_until_it_is_stopped(start: Start, home: Path) -> None:
    node = Node(home)
    assert node.running() is None
    running = start()
    assert node.running() == running
    assert asked(running)["status"] == "green"
    assert node.stop()
    assert node.running() is None
    assert not node.stop()


def test_a_cluster_may_have_a_name_of_the_callers_own(start: Start) -> None:
    running = start(settings={"cluster.name": "two: nodes"})
    assert asked(running)["cluster_name"] == "two: nodes"


def test_a_second_start_finds_the_first(start: Start) -> None:
    assert start() == start("dies")


def test_it_describes_itself(start: Start, home: Path) -> None:
    running = start(heap="512m")
    assert (running.engine, running.version, running.heap) == ("opensearch", "0.1", "512m")
    assert (running.home, running.log) == (home, home / "logs" / "node.log")


def test_settings_come_from_the_engine_the_node_and_the_caller(start: Start, home: Path) -> None:
    settings = asked(start(settings={"mine": [1, "é"], "of.the.engine": False}))["settings"]
    assert settings["node.name"] == "node"
    assert settings["path.data"] == str(home / "data")
    assert settings["mine"] == [1, "é"]
    assert settings["of.the.engine"] is False


def test_secrets_are_of_this_start_alone(start: Start, home: Path) -> None:
    start(secrets={"key": "value"})
    assert json.loads((home / "config" / "keystore").read_text()) == {"key": "value"}
    Node(home).stop()
    start()
    assert json.loads((home / "config" / "keystore").read_text()) == {}


def test_it_says_which_plugin_it_was_started_with(start: Start, home: Path) -> None:
    assert start().plugin is None
    Node(home).stop()
    plain = Distribution(FakeEngine(), home.parent, Jdk(Path("/jdk"), 25))
    assert Node.start(replace(plain, plugin="rankside-1-x"), home).plugin == "rankside-1-x"


def test_after_kill_9_it_is_seen_as_stopped_and_starts_again_at_its_old_address(
    start: Start, home: Path
) -> None:
    first = start()
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert Node(home).running() is None
    second = start()
    assert second.pid != first.pid
    assert second.url == first.url
    assert (home / "data" / "starts").read_text() == "xx"


def test_the_log_of_the_start_before_is_kept(start: Start, home: Path) -> None:
    with pytest.raises(LocalEngineError):
        start("dies")
    start()
    assert "the reason" in (home / "logs" / "node.log.1").read_text()


def test_a_node_that_ends_is_explained_by_its_log_less_the_stack_frames(
    start: Start, home: Path
) -> None:
    with pytest.raises(
        LocalEngineError, match=r"(?s)node ended while starting; see .*the reason"
    ) as e:
        start("dies")
    assert "some.Frame" not in str(e.value)
    assert Node(home).running() is None


def test_a_taken_port_is_tried_again(start: Start, home: Path) -> None:
    start("port taken once")
    assert (home / "data" / "starts").read_text() == "xx"


def test_but_not_for_ever(start: Start) -> None:
    with pytest.raises(LocalEngineError, match=r"took the ports of node 3 times"):
        start("port always taken")


@pytest.mark.parametrize("behaviour", ["red", "somebody else"])
def test_a_node_that_is_not_green_in_time_is_stopped(
    start: Start, home: Path, behaviour: str
) -> None:
    with pytest.raises(LocalEngineError, match=r"was not green in time"):
        start(behaviour, timeout=1.0)
    state = State.read(home / "state.json")
    assert state is not None
    assert started_at(state.pid) is None


def test_a_settled_yellow_is_as_green_as_one_node_gets(start: Start) -> None:
    assert start("settled yellow")


def test_progress_only_grows_and_ends_at_one(start: Start) -> None:
    steps: list[float] = []
    start(progress=lambda _step, done: steps.append(done))
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_a_heap_that_is_none_is_a_usage_error(start: Start) -> None:
    with pytest.raises(SettingsError, match=r"heap='lots'.*512m"):
        start(heap="lots")


def test_a_recycled_pid_is_neither_found_nor_stopped(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        started = started_at(bystander.pid)
        home.mkdir()
        State(bystander.pid, started or 0, (1, 2), "opensearch", "0.1", "1g").write(
            home / "state.json"
        )
        assert Node(home).running() is None
        assert not Node(home).stop()
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"ports": [1]}', '{"ports": [1, 2]}'])
def test_a_state_file_that_is_none_is_a_stopped_node(home: Path, text: str) -> None:
    home.mkdir()
    (home / "state.json").write_text(text)
    assert Node(home).running() is None


def test_an_interrupted_start_leaves_nothing_running(start: Start, home: Path) -> None:
    def interrupt(_step: str, _done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start("red", progress=interrupt)
    assert Node(home).running() is None
