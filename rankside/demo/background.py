"""A sidecar in the background: started once, found again, stopped by its own pid."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.local import process
from deploy.local.places import cache_root, locked
from evaluation.local_sidecar import free_port, serve_command, wait_until_ready
from plugin.ranking.errors import SidecarUnavailable

_MARK = "rankside"
_GRACE = 20.0


@dataclass(frozen=True, slots=True)
class BackgroundSidecar:
    """A `rankside serve` process of this machine; ``arguments`` are those after the address."""

    url: str
    pid: int
    started: int
    log: str
    arguments: Sequence[str] = ()

    @classmethod
    def running(cls) -> Self | None:
        """The one that was started here and still runs, else None."""
        try:
            sidecar = cls(**json.loads(_state_file().read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return sidecar if process.is_ours(sidecar.pid, sidecar.started, _MARK) else None

    def stop(self) -> None:
        """Ask it to drain and stop."""
        process.end(self.pid, self.started, grace=_GRACE)
        _state_file().unlink(missing_ok=True)


def start(arguments: Sequence[str] = ()) -> BackgroundSidecar:
    """The sidecar that runs with these arguments, else one started now; ready to answer.

    It has our environment: the proxy, the hub's cache and key, and the settings there. One that
    runs with other arguments is stopped.

    Raises:
        SidecarUnavailable: it ended or was not ready in time; the message names its log.
    """
    with locked(cache_root(), "sidecar"):
        sidecar = BackgroundSidecar.running()
        if sidecar is not None and list(sidecar.arguments) != list(arguments):
            sidecar.stop()
            sidecar = None
        sidecar = sidecar or _spawn(arguments)
        _wait(sidecar)
        return sidecar


def _spawn(arguments: Sequence[str]) -> BackgroundSidecar:
    port = free_port()
    folder = _state_file().parent
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sidecar.log"
    log.write_text("", "utf-8")
    command = [*serve_command(port), *arguments]
    pid = process.spawn(command, stdin=None, output=log, tmp=folder, environment=os.environ)
    started = process.started_at(pid) or 0
    url = f"http://127.0.0.1:{port}"
    sidecar = BackgroundSidecar(url, pid, started, str(log), list(arguments))
    _state_file().write_text(json.dumps(asdict(sidecar)), "utf-8")
    return sidecar


def _wait(sidecar: BackgroundSidecar) -> None:
    try:
        wait_until_ready(
            sidecar.url,
            Path(sidecar.log),
            runs=lambda: process.is_ours(sidecar.pid, sidecar.started, _MARK),
        )
    except SidecarUnavailable as error:
        sidecar.stop()
        raise SidecarUnavailable(f"{error}; all of it is in {sidecar.log}") from error


def _state_file() -> Path:
    return cache_root() / "sidecar" / "state.json"
