"""A sidecar in the background: started once, found again, stopped by its own pid."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.local import process
from deploy.local.places import cache_root, locked
from evaluation.local_sidecar import free_port, is_ready, serve_command
from plugin.ranking.errors import SidecarUnavailable

_MARK = "rankside"
_START_TIMEOUT = 120.0  # seconds; loading torch and the model takes 5 to 20 on two cores
_POLL = 0.1
_GRACE = 20.0


@dataclass(frozen=True, slots=True)
class BackgroundSidecar:
    """A `rankside serve` process of this machine."""

    url: str
    pid: int
    started: int
    log: str

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


def start() -> BackgroundSidecar:
    """The sidecar that runs, else one started now with default settings; ready to answer.

    Raises:
        SidecarUnavailable: it ended or was not ready in time; the message names its log.
    """
    with locked(cache_root(), "sidecar"):
        sidecar = BackgroundSidecar.running() or _spawn()
        _wait_until_ready(sidecar)
        return sidecar


def _spawn() -> BackgroundSidecar:
    port = free_port()
    folder = _state_file().parent
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sidecar.log"
    log.write_text("", "utf-8")
    pid = process.spawn(serve_command(port), stdin=None, output=log, tmp=folder)
    started = process.started_at(pid) or 0
    sidecar = BackgroundSidecar(f"http://127.0.0.1:{port}", pid, started, str(log))
    _state_file().write_text(json.dumps(asdict(sidecar)), "utf-8")
    return sidecar


def _wait_until_ready(sidecar: BackgroundSidecar) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if not process.is_ours(sidecar.pid, sidecar.started, _MARK):
            raise SidecarUnavailable(f"the sidecar ended while starting; its log is {sidecar.log}")
        if is_ready(sidecar.url):
            return
        time.sleep(_POLL)
    sidecar.stop()
    raise SidecarUnavailable(
        f"the sidecar was not ready after {_START_TIMEOUT:.0f} s; its log is {sidecar.log}"
    )


def _state_file() -> Path:
    return cache_root() / "sidecar" / "state.json"
