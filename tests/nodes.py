"""Real nodes of one test run, or of one test."""

from __future__ import annotations

import itertools
import os
import shutil
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
