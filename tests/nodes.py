"""Real nodes of one test run, or of one test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy import local
from deploy.local.places import cache_root, instance_home
from deploy.local.toolchain import make_folder

if TYPE_CHECKING:
    from deploy.local import EngineName, RunningNode

_numbers = itertools.count()
_GONE = 60.0  # seconds


class Restartable:
    """A node of the test's own that may be ended and started again, on the same data."""

    def __init__(self, node: RunningNode, **options: Any) -> None:
        self.node = node
        self._options = options

    def signal(self, how: signal.Signals) -> None:
        """Tell its process; it may be there for a while."""
        os.kill(self.node.pid, how)

    def start(self) -> None:
        """Start it at the same port once it is gone, and come back when it is green."""
        engine, instance = self.node.engine, self.node.home.name
        deadline = time.monotonic() + _GONE
        while local.status(engine, instance) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        again = local.up(engine, instance=instance, **self._options)
        assert (again.url, again.pid != self.node.pid) == (self.node.url, True)
        self.node = again


@contextmanager
def own_node(
    engine: EngineName, *, files: Iterable[Path] = (), **options: Any
) -> Iterator[RunningNode]:
    """A new node of this run alone, whatever else runs on the machine; nothing of it stays.

    ``files`` are copied into its configuration folder; ``options`` are those of `deploy.local.up`.
    """
    instance = f"tests-{os.getpid()}-{next(_numbers)}"
    home = instance_home(cache_root(), engine, instance)
    shutil.rmtree(home, ignore_errors=True)
    make_folder(home / "config")
    for file in files:
        shutil.copy(file, home / "config")
    try:
        yield local.up(engine, instance=instance, **options)
    finally:
        local.down(engine, instance=instance)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def restartable(engine: EngineName, **options: Any) -> Iterator[Restartable]:
    """`own_node`, to be ended and started again."""
    with own_node(engine, **options) as node:
        yield Restartable(node, **options)
