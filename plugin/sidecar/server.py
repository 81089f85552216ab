"""Run the app under uvicorn until it is told to end, draining first."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from plugin.ranking.errors import RanksideError, SettingsError
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.sidecar import OnFatal, Sidecar

logger = logging.getLogger("rankside.server")

_GRACE = 10.0  # seconds beyond the drain before a hung process is ended the hard way
_KEEP_ALIVE = 75  # seconds; longer than the clients' pools keep theirs, so that they close first


class DrainingServer(uvicorn.Server):
    """Ends in steps: not ready, a delay for load balancers, calls in flight, exit.

    A second signal ends it without waiting.
    """

    def __init__(self, config: uvicorn.Config, sidecar: Sidecar) -> None:
        super().__init__(config)
        self._sidecar = sidecar
        self._asked = False
        self._until: float | None = None

    def ask_to_end(self) -> None:
        """Begin to drain at the next tick; for any thread, and for signal handlers."""
        self._asked = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, end at the second."""
        if self._asked:
            super().handle_exit(sig, frame)
            self.force_exit = True
        self.ask_to_end()

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn's ten looks a second at whether it should end."""
        if self._asked and self._until is None:
            self._sidecar.lifecycle.drain()
            self._until = time.monotonic() + self._sidecar.options.drain_delay
        if self._until is not None and time.monotonic() >= self._until:
            self.should_exit = True
        return await super().on_tick(counter)


def listen(options: SidecarOptions) -> socket.socket:
    """The listening socket; raises SettingsError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"cannot listen on {options.host}:{options.port} ({error}); free the port, or choose "
            "another with --port"
        ) from error


def run(
    make_app: Callable[[OnFatal], FastAPI], options: SidecarOptions, listener: socket.socket
) -> None:
    """Serve on ``listener`` until SIGTERM or SIGINT, or until the model fails for good.

    Raises:
        RanksideError: the model could not be loaded, or failed for good.
    """
    failures: list[RanksideError] = []

    def fatal(error: RanksideError) -> None:
        failures.append(error)
        server.ask_to_end()
        _end_hard_after(options.drain_delay + options.drain_timeout + _GRACE)

    app = make_app(fatal)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=options.drain_timeout,
    )
    server = DrainingServer(config, app.state.sidecar)
    logger.info("listening on %s", address(listener))
    _take_signals(server)
    server.run(sockets=[listener])
    if failures:
        raise failures[0]


def address(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _take_signals(server: DrainingServer) -> None:
    """Before uvicorn listens to signals, and after: it raises those it caught again at its end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.ask_to_end())


def _end_hard_after(seconds: float) -> None:
    """A broken CUDA context can hang the interpreter's own exit."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()
