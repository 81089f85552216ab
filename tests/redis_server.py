"""A real Redis-compatible server of the machine's, where it has one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from evaluation.local_sidecar import free_port

_NAMES = ("valkey-server", "redis-server")
_PATIENCE = 60.0  # seconds for a server to answer


def installed() -> str | None:
    """The program, or None: Debian's package redis-server, or valkey-server, has it."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@dataclass
class RunningRedis:
    """A server in a process of its own, keeping nothing on disk."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def stall(self) -> None:
        """Let it answer nothing any more, its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def keys(self) -> list[str]:
        """What it keeps."""
        found = _client(self.port).keys()
        assert isinstance(found, list)
        return sorted(key.decode() for key in found)

    def milliseconds_left(self, key: str) -> int:
        """Until it forgets a key."""
        left = _client(self.port).pttl(key)
        assert isinstance(left, int)
        return left


@contextmanager
def redis_server(program: str) -> Iterator[RunningRedis]:
    """One on a free port of 127.0.0.1, as nobody where this is root, ended with the block."""
    port = free_port()
    process = subprocess.Popen(
        [program, *_arguments(port)],
        cwd="/",
        user="nobody" if os.getuid() == 0 else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield RunningRedis(port, process)
    finally:
        process.kill()
        process.wait()


def _arguments(port: int) -> Sequence[str]:
    return ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            _client(port).ping()
        except RedisError as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the Redis server did not start") from error
            time.sleep(0.05)
        else:
            return


def _client(port: int) -> Redis:
    return Redis(port=port, socket_timeout=10)
