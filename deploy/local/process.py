"""Processes and ports: is this still the node we started, end it, find a free port."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_POLL = 0.05
_KILL_PATIENCE = 10.0
_INSTANT = 0.001


def started_at(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None if it is gone or a zombie.

    A killed JVM is not gone before the last of its threads is: they hold its ports and locks.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    dead = fields[0] in "ZX" and threads <= 1
    return None if dead else int(fields[19])


def is_ours(pid: int, started: int, mark: str) -> bool:
    """True if ``pid`` is the process that started then and has ``mark`` on its command line.

    A pid alone is not enough: the kernel gives it to somebody else some day.
    """
    while started_at(pid) == started:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        if line:
            return mark.encode() in line
        time.sleep(_INSTANT)  # it is just now turning from setpriv into java, or dying
    return False


def end(pid: int, started: int, *, grace: float) -> bool:
    """Ask the process to stop, and kill it if it is still there after ``grace`` seconds.

    True if it is gone.
    """
    for sent, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILL_PATIENCE)):
        _signal(pid, started, sent)
        if _gone(pid, started, patience):
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # if it was our child, do not leave a zombie
            return True
    return False


def _signal(pid: int, started: int, sent: signal.Signals) -> None:
    if started_at(pid) == started:
        with suppress(ProcessLookupError):
            os.kill(pid, sent)


def _gone(pid: int, started: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while started_at(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def spawn(
    command: list[str],
    *,
    stdin: Path | None,
    output: Path,
    tmp: Path,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Start a process that outlives us, with ``environment`` (None: a clean one); its pid.

    `subprocess` would warn about a child that is left running, which here is the purpose.
    """
    create = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        command[0],
        command,
        environment
        or {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": f"{tmp}",
            "LIBFFI_TMPDIR": f"{tmp}",
        },
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, stdin or os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, output, create, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def free_ports(preferred: tuple[int, int] | None = None) -> tuple[int, int]:
    """Two ports of 127.0.0.1 that were free a moment ago: the preferred ones, else any.

    Someone may take one before the node does; the caller has to try again then.
    """
    if preferred is not None and all(map(_is_free, preferred)):
        return preferred
    with socket.socket() as one, socket.socket() as other:
        for sock in (one, other):
            sock.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
