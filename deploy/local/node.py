"""One node: a process started from a distribution, in a folder of its own.

Several nodes, of the same distribution or not, run side by side as long as their folders differ.
Whoever calls `start` or `stop` holds the lock of the instance (`deploy.local.service` does).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.local import process
from deploy.local.distribution import Distribution, Progress, silent
from deploy.local.health import cluster_health, is_settled
from deploy.local.launch import Layout
from deploy.local.recipe import EngineName
from deploy.local.state import State
from deploy.local.toolchain import unprivileged
from plugin.ranking.errors import LocalEngineError, SettingsError

_HEAP = re.compile(r"[1-9][0-9]*[mMgG]")
_START_TIMEOUT = 240.0  # seconds; a start takes 10 to 40 on two busy cores
_STOP_GRACE = 30.0
_PORT_ATTEMPTS = 3
_POLL = 0.1
_TYPICAL_START = 15.0
_PORT_TAKEN = re.compile(r"BindException|BindHttpException|BindTransportException")


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that runs: where to reach it and where its files are.

    ``home`` is the node's own folder (config, data, logs); ``heap`` is as given to the JVM;
    ``plugin`` is the name, version and digest of the plugin that was installed for it.
    """

    url: str
    pid: int
    engine: EngineName
    version: str
    home: Path
    log: Path
    heap: str
    plugin: str | None = None


class Node:
    """The node whose folder is ``home``, running or not."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout(home)

    @classmethod
    def start(
        cls,
        distribution: Distribution,
        instance_dir: Path,
        *,
        settings: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
        heap: str | None = None,
        progress: Progress = silent,
        timeout: float = _START_TIMEOUT,
    ) -> RunningNode:
        """Start a node and wait until it is green; if one runs there already, wait for that one.

        ``settings`` are added to the engine's configuration file, ``secrets`` are the entries of
        its keystore; ``heap`` is like ``512m``; ``timeout`` is in seconds.

        Raises:
            LocalEngineError: it ended or was not green in time; the message shows its last lines.
            SettingsError: ``heap`` is not a size, or the keystore cannot take ``secrets``.
        """
        node = cls(instance_dir)
        heap = checked_heap(heap or distribution.engine.default_heap)
        found = node.wait(progress=progress, timeout=timeout)
        if found is not None:
            return found
        for _ in range(_PORT_ATTEMPTS):
            with ExitStack() as undo:
                node._spawn(distribution, settings or {}, secrets or {}, heap)
                undo.callback(node.stop)
                found = node.wait(progress=progress, timeout=timeout)
                if found is not None:
                    undo.pop_all()
                    return found
            if not _PORT_TAKEN.search(_tail(node.layout.log, lines=200)):
                raise LocalEngineError(node._post_mortem("ended while starting"))
        raise LocalEngineError(
            f"Other programs took the ports of {instance_dir.name} {_PORT_ATTEMPTS} times while it"
            " was starting: call again."
        )

    def running(self) -> RunningNode | None:
        """The node's process if it runs, whether or not it answers yet; else None."""
        state = State.read(self.layout.state)
        if state is None or not process.is_ours(state.pid, state.started, str(self.layout.config)):
            return None
        return RunningNode(
            url=f"http://127.0.0.1:{state.ports[0]}",
            pid=state.pid,
            engine=state.engine,
            version=state.version,
            home=self.layout.home,
            log=self.layout.log,
            heap=state.heap,
            plugin=state.plugin,
        )

    def stop(self, *, grace: float = _STOP_GRACE) -> bool:
        """Stop the node; False if it was not running.

        It gets ``grace`` seconds to write its state before it is killed.

        Raises:
            LocalEngineError: the process is there even after it was killed.
        """
        running = self.running()
        state = State.read(self.layout.state)
        if running is None or state is None:
            return False
        if not process.end(state.pid, state.started, grace=grace):
            raise LocalEngineError(f"Process {state.pid} cannot be killed: look at it with `ps`.")
        return True

    def _spawn(
        self,
        distribution: Distribution,
        settings: Mapping[str, object],
        secrets: Mapping[str, str],
        heap: str,
    ) -> None:
        layout = self.layout
        layout.make()
        last = State.read(layout.state)
        ports = process.free_ports(preferred=last.ports if last else None)
        own = {**distribution.engine.settings, **self._identity(ports)}
        layout.configure(distribution.name, {**own, **settings})
        distribution.engine.write_secrets(distribution, layout, secrets)
        stdin = distribution.engine.standard_input(distribution, layout)
        layout.hand_over()
        pid = process.spawn(
            [*unprivileged(), *distribution.engine.command(distribution, layout, heap)],
            stdin=stdin,
            output=layout.log,
            tmp=layout.tmp,
        )
        started = process.started_at(pid) or 0
        engine = (distribution.name, distribution.version)
        State(pid, started, ports, *engine, heap, distribution.plugin).write(layout.state)

    def _identity(self, ports: tuple[int, int]) -> dict[str, object]:
        layout = self.layout
        return {
            "cluster.name": f"rankside-{layout.home.name}",
            "node.name": layout.home.name,
            "path.data": str(layout.data),
            "path.logs": str(layout.logs),
            "http.port": ports[0],
            "transport.port": ports[1],
        }

    def wait(
        self, *, progress: Progress = silent, timeout: float = _START_TIMEOUT
    ) -> RunningNode | None:
        """Wait until the running node is green; None if it is not running, or ends meanwhile.

        Raises:
            LocalEngineError: it was not green after ``timeout`` seconds.
        """
        began = time.monotonic()
        while (running := self.running()) is not None:
            waited = time.monotonic() - began
            if self._is_ready(running):
                progress(f"{running.engine} is green at {running.url}", 1.0)
                return running
            if waited > timeout:
                raise LocalEngineError(self._post_mortem("was not green in time"))
            progress(f"waiting for {running.engine} at {running.url}", _share(waited))
            time.sleep(_POLL)
        return None

    def _is_ready(self, running: RunningNode) -> bool:
        health = cluster_health(int(running.url.rpartition(":")[2]))
        # Another program may answer on the port we had hoped for.
        cluster = self.layout.configured(running.engine, "cluster.name")
        return health.get("cluster_name") == cluster and is_settled(health)

    def _post_mortem(self, what: str) -> str:
        log = self.layout.log
        return f"{self.layout.home.name} {what}; see {log}, which ends with:\n{_tail(log)}"


def checked_heap(heap: str) -> str:
    """The heap as it is given to the JVM.

    Raises:
        SettingsError: it is not a number of megabytes or gigabytes.
    """
    if not _HEAP.fullmatch(heap):
        raise SettingsError(f"heap={heap!r} is no size of memory: write it like 512m or 1g.")
    return heap


def _share(waited: float) -> float:
    return 0.7 + 0.3 * min(waited / _TYPICAL_START, 0.95)


def _tail(file: Path, lines: int = 15) -> str:
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return "(no log)"
    told = [line for line in text.splitlines() if not line.startswith("\tat ")]
    return "\n".join(told[-lines:])
