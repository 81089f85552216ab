from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import end, free_ports, is_ours, spawn, started_at

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stops when it is asked to."""
    with subprocess.Popen([sys.executable, "-c", SLEEP, "the mark"]) as process:
        yield process
        process.kill()


def start_of(pid: int) -> int:
    started = started_at(pid)
    assert started is not None
    return started


def test_a_process_keeps_its_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    assert start_of(sleeper.pid) == start_of(sleeper.pid) >= start_of(os.getpid())


def test_zombies_and_the_departed_have_none(sleeper: subprocess.Popen[bytes]) -> None:
    pid = sleeper.pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{pid}").exists()
    assert started_at(pid) is None
    sleeper.wait()
    assert started_at(pid) is None


def test_ours_needs_the_start_time_and_the_mark(sleeper: subprocess.Popen[bytes]) -> None:
    started = start_of(sleeper.pid)
    assert is_ours(sleeper.pid, started, "the mark")
    assert not is_ours(sleeper.pid, started + 1, "the mark")
    assert not is_ours(sleeper.pid, started, "another mark")


def test_a_recycled_pid_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    assert end(sleeper.pid, start_of(sleeper.pid) - 1, grace=0)
    assert sleeper.poll() is None


def test_a_process_is_asked_first(sleeper: subprocess.Popen[bytes]) -> None:
    assert end(sleeper.pid, start_of(sleeper.pid), grace=30)
    assert started_at(sleeper.pid) is None


def test_a_deaf_process_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid = spawn([sys.executable, "-c", STUBBORN], stdin=None, output=log, tmp=tmp_path)
    while not log.read_text():
        time.sleep(0.01)
    assert end(pid, start_of(pid), grace=0.2)
    assert started_at(pid) is None


def test_what_is_spawned_has_a_clean_environment_its_input_and_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dsomething")
    stdin, log = tmp_path / "in", tmp_path / "log"
    stdin.write_text("hello ")
    log.write_text("before ")
    code = (
        "import os, sys; print(sys.stdin.read(), sorted(os.environ), os.getsid(0) == os.getpid())"
    )
    pid = spawn([sys.executable, "-c", code], stdin=stdin, output=log, tmp=tmp_path)
    os.waitpid(pid, 0)
    text = log.read_text()
    assert text.startswith("before hello ")
    assert text.endswith("True\n")
    assert "JAVA_TOOL_OPTIONS" not in text


def test_what_is_spawned_has_the_environment_that_is_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import os; print(os.environ['GIVEN'], 'HOME' in os.environ)"
    command = [sys.executable, "-c", code]
    pid = spawn(command, stdin=None, output=log, tmp=tmp_path, environment={"GIVEN": "this"})
    os.waitpid(pid, 0)
    assert log.read_text() == "this False\n"


def test_ports_are_two_and_free() -> None:
    for _ in range(20):
        http, transport = free_ports()
        assert http != transport
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", http))


def test_the_last_ports_are_kept_if_nobody_took_them() -> None:
    ports = free_ports()
    assert free_ports(ports) == ports
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", ports[0]))
        sock.listen()
        assert ports[0] not in free_ports(ports)


def test_a_process_is_not_gone_before_its_last_thread_is(tmp_path: Path) -> None:
    exit_of_one_thread = {"x86_64": 60, "aarch64": 93}[platform.machine()]
    code = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start();"
        f"ctypes.CDLL(None).syscall({exit_of_one_thread}, 0)"
    )
    pid = spawn([sys.executable, "-c", code], stdin=None, output=tmp_path / "log", tmp=tmp_path)
    started = start_of(pid)
    while ") Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.01)
    assert started_at(pid) == started
    assert end(pid, started, grace=5)
    assert started_at(pid) is None
