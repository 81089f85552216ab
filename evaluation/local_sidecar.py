"""A sidecar of our own for the length of an evaluation: `rankside serve` in another process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from plugin.ranking.errors import SidecarUnavailable

START_TIMEOUT = 180.0
"""Seconds; loading torch and a model takes 5 to 20 on two idle cores."""

READY = "/health/ready"
_POLL = 0.1
_GRACE = 20.0
_LOG_TAIL = 300


@contextmanager
def local_sidecar(
    arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a ready sidecar on 127.0.0.1 that ends with the block.

    ``arguments`` are further ones of `rankside serve`, ``environment`` is added to ours.

    Raises:
        SidecarUnavailable: it ended or was not ready in time; the message has the end of its log.
    """
    port = free_port()
    with sidecar_process([*serve_command(port), *arguments], port, environment) as url:
        yield url


@contextmanager
def sidecar_process(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of what ``command`` serves at ``port``, once it is ready; it ends with the block.

    Raises:
        SidecarUnavailable: it ended or was not ready in time; the message has the end of its log.
    """
    with served(command, port, environment) as found:
        yield found.url


@dataclass(frozen=True, slots=True)
class Served:
    """A server of our own: where it is, its process, and the seconds until it would answer."""

    url: str
    pid: int
    seconds: float


@contextmanager
def served(
    command: Sequence[str],
    port: int,
    environment: Mapping[str, str] | None = None,
    *,
    ready: str = READY,
) -> Iterator[Served]:
    """As `sidecar_process`, of any server that answers `GET {ready}` once it is ready."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile(prefix="rankside-sidecar-", suffix=".log") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, Path(log.name), runs=lambda: process.poll() is None, ready=ready)
            yield Served(url, process.pid, time.monotonic() - began)
        finally:
            _end(process)


def wait_until_ready(url: str, log: Path, *, runs: Callable[[], bool], ready: str = READY) -> None:
    """Return once the server at ``url`` would answer; ``runs`` tells whether its process does.

    Raises:
        SidecarUnavailable: it ended or was not ready in time; the message has the end of its log.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if not runs():
            raise SidecarUnavailable(f"the server ended while starting; its log ends: {_tail(log)}")
        if is_ready(url, ready):
            return
        time.sleep(_POLL)
    raise SidecarUnavailable(
        f"the server was not ready within {START_TIMEOUT:.0f} s; its log ends: {_tail(log)}"
    )


def serve_command(port: int) -> list[str]:
    """The command line of a sidecar of this installation on 127.0.0.1."""
    return [sys.executable, "-m", "rankside", "serve", "--host", "127.0.0.1", "--port", f"{port}"]


def is_ready(url: str, ready: str = READY) -> bool:
    """Whether the sidecar at ``url`` would answer now."""
    try:
        return httpx.get(f"{url}{ready}", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-_LOG_TAIL:].strip() or "(it is empty)"
