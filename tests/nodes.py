"""Real nodes of one test run, or of one test."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deploy import local
from deploy.local.places import cache_root, instance_home

if TYPE_CHECKING:
    from deploy.local import EngineName, RunningNode

_numbers = itertools.count()


@contextmanager
def own_node(engine: EngineName, **options: Any) -> Iterator[RunningNode]:
    """A new node of this run alone, whatever else runs on the machine; nothing of it stays.

    ``options`` are those of `deploy.local.up`.
    """
    instance = f"tests-{os.getpid()}-{next(_numbers)}"
    try:
        yield local.up(engine, instance=instance, fresh=True, **options)
    finally:
        local.down(engine, instance=instance)
        shutil.rmtree(instance_home(cache_root(), engine, instance), ignore_errors=True)
