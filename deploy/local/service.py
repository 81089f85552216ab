"""`up`, `down` and `status`: the nodes of this machine by engine and instance name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.local.distribution import Engine, Progress, assemble, silent
from deploy.local.elasticsearch import Elasticsearch
from deploy.local.node import Node, RunningNode, checked_heap
from deploy.local.opensearch import OpenSearch, of_version
from deploy.local.places import cache_root, instance_home, locked
from deploy.local.recipe import EngineName
from deploy.local.toolchain import find_jdk
from deploy.local.variant import PluginZip, with_plugin
from plugin.ranking.errors import LocalEngineError, SettingsError

ENGINES: Mapping[EngineName, Engine] = {
    "opensearch": OpenSearch(),
    "elasticsearch": Elasticsearch(),
}


def up(  # noqa: PLR0913 - one keyword for each thing in which nodes differ
    engine: EngineName,
    *,
    instance: str = "default",
    heap: str | None = None,
    settings: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
    plugin: Path | None = None,
    version: str | None = None,
    fresh: bool = False,
    root: Path | None = None,
    progress: Progress | None = None,
) -> RunningNode:
    """A running, green node: the one of this name if it runs, else one started now.

    The first call on a machine assembles the engine from Maven Central. ``heap`` (like ``1g``),
    ``settings`` (of the engine's configuration file) and ``secrets`` (the entries of its keystore)
    count only when the node is started;
    ``plugin`` is the zip of one to install for this node alone, ``version`` another one of
    OpenSearch than the usual; ``fresh`` stops the node and drops its data first. ``root`` stands in
    for ``RANKSIDE_HOME``.

    Raises:
        LocalEngineError: a JDK, Maven or a library is missing, a download failed, the node did not
            start, or it runs without the plugin; one sentence that says what to do.
        SettingsError: the instance's name could not be a folder's, ``heap`` is not a size, or
            ``plugin``, ``secrets`` or ``version`` is nothing for this engine.
    """
    asked = PluginZip.read(plugin) if plugin else None
    kind, report = _kind(engine, version), progress or silent
    heap = checked_heap(heap or kind.default_heap)
    base = cache_root(root)
    home = instance_home(base, engine, instance)
    with locked(base, f"{engine}-{instance}"):
        node = Node(home)
        if fresh:
            node.stop()
            shutil.rmtree(home, ignore_errors=True)
        found = node.wait(progress=report)
        if found is not None:
            _check(found, asked, version)
            return found
        jdk = find_jdk(kind.recipe.java)
        distribution = assemble(kind, base, jdk, progress=report)
        if asked:
            distribution = with_plugin(distribution, asked, base, progress=report)
        return Node.start(
            distribution, home, settings=settings, secrets=secrets, heap=heap, progress=report
        )


def _check(found: RunningNode, plugin: PluginZip | None, version: str | None) -> None:
    """Refuse a node that runs already and is not what was asked for."""
    wanted = plugin.label if plugin else found.plugin, version or found.version
    if wanted != (found.plugin, found.version):
        raise LocalEngineError(
            f"The node {found.home.name!r} runs as {_named(found.version, found.plugin)}, not as"
            f" {_named(wanted[1], wanted[0])}: stop it with `rankside engine down`, or choose"
            " another --instance."
        )


def _named(version: str, plugin: str | None) -> str:
    return f"{version} with {plugin or 'no plugin'}"


def _kind(engine: EngineName, version: str | None) -> Engine:
    if version is None:
        return ENGINES[engine]
    if engine != "opensearch":
        raise SettingsError(f"There is one version of {engine} here: leave version out.")
    return of_version(version)


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
