"""`up`, `down` and `status`: the nodes of this machine by engine and instance name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.local.distribution import Engine, Progress, assemble, silent
from deploy.local.elasticsearch import Elasticsearch
from deploy.local.node import Node, RunningNode
from deploy.local.opensearch import OpenSearch
from deploy.local.places import cache_root, instance_home, locked
from deploy.local.recipe import EngineName
from deploy.local.toolchain import find_jdk

ENGINES: Mapping[EngineName, Engine] = {
    "opensearch": OpenSearch(),
    "elasticsearch": Elasticsearch(),
}


def up(
    engine: EngineName,
    *,
    instance: str = "default",
    heap: str | None = None,
    settings: Mapping[str, object] | None = None,
    fresh: bool = False,
    root: Path | None = None,
    progress: Progress | None = None,
) -> RunningNode:
    """A running, green node: the one of this name if it runs, else one started now.

    The first call on a machine assembles the engine from Maven Central. ``heap`` (like ``1g``) and
    ``settings`` (of the engine's configuration file) count only when the node is started;
    ``fresh`` stops it and drops its data first. ``root`` stands in for ``RANKSIDE_HOME``.

    Raises:
        LocalEngineError: a JDK, Maven or a library is missing, a download failed, or the node did
            not start; one sentence that says what to do.
        SettingsError: the instance's name could not be a folder's name.
    """
    base = cache_root(root)
    node = Node(instance_home(base, engine, instance))
    with locked(base, f"{engine}-{instance}"):
        if fresh:
            node.stop()
            shutil.rmtree(node.layout.home, ignore_errors=True)
        kind = ENGINES[engine]
        distribution = assemble(kind, base, find_jdk(kind.recipe.java), progress=progress or silent)
        return Node.start(
            distribution,
            node.layout.home,
            settings=settings,
            heap=heap,
            progress=progress or silent,
        )


def down(engine: EngineName, instance: str = "default", *, root: Path | None = None) -> bool:
    """Stop the node of this name, keeping its data; False if it was not running."""
    base = cache_root(root)
    node = Node(instance_home(base, engine, instance))
    with locked(base, f"{engine}-{instance}"):
        return node.stop()


def status(
    engine: EngineName, instance: str = "default", *, root: Path | None = None
) -> RunningNode | None:
    """The node of this name if its process runs, else None. Waits for nobody."""
    return Node(instance_home(cache_root(root), engine, instance)).running()
