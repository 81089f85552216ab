"""OpenSearch 3.6 with k-NN, ml-commons and neural-search, as Maven Central has them.

Two things differ from the download of opensearch.org: the k-NN plugin has no native library, so
**an index with the faiss engine kills the node** (name ``"engine": "lucene"`` in every method), and
there is no security plugin. The local ONNX runtime of ml-commons (300 MB) is left out: remote
models do not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.distribution import Distribution
from deploy.local.keystore import write_keystore
from deploy.local.launch import Layout, common_flags
from deploy.local.opensearch_recipe import RELEASES, VERSION, recipe
from deploy.local.opensearch_tools import install_plugin
from deploy.local.recipe import Module, Recipe
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import SettingsError

_SETTINGS: dict[str, object] = {
    "network.host": "127.0.0.1",
    "discovery.type": "single-node",
    "bootstrap.memory_lock": False,
    "cluster.routing.allocation.disk.threshold_enabled": False,
}
_PLUGIN_SETTINGS: dict[str, object] = {
    # Models and sidecars are on this machine and at any port of it.
    "plugins.ml_commons.only_run_on_ml_node": False,
    "plugins.ml_commons.connector.private_ip_enabled": True,
    "plugins.ml_commons.trusted_connector_endpoints_regex": [r"^http://127\.0\.0\.1:[0-9]+/.*$"],
    # ml-commons refuses to call a model when it thinks the machine is busy; a laptop always is.
    "plugins.ml_commons.native_memory_threshold": 100,
    "plugins.ml_commons.jvm_heap_memory_threshold": 100,
    "plugins.ml_commons.disk_free_space_threshold": 0,
}


@dataclass(frozen=True, slots=True)
class OpenSearch:
    """How OpenSearch is laid out and launched."""

    recipe: Recipe = field(default_factory=lambda: recipe(RELEASES[VERSION]))
    default_heap: str = "1g"

    @property
    def settings(self) -> Mapping[str, object]:
        """One node by itself, on the loopback interface."""
        # The core alone would not start with settings of plugins that are not there.
        return _SETTINGS | (_PLUGIN_SETTINGS if self.recipe.plugins else {})

    def prepare(self) -> None:
        """OpenSearch needs nothing but the JDK and Maven."""

    def finish(self, home: Path, _jdk: Jdk, /) -> None:
        """Write what the module jars lack: their descriptors and policies."""
        for module in self.recipe.modules:
            folder = home / "modules" / module.name
            (folder / "plugin-descriptor.properties").write_text(descriptor(module), "utf-8")
            if module.policy:
                (folder / "plugin-security.policy").write_text(module.policy, "utf-8")

    def install(self, home: Path, jdk: Jdk, zipped: Path, /) -> None:
        """Have the engine's own tool install it, or unpack it where there is none."""
        install_plugin(home, jdk, zipped)

    def standard_input(self, _distribution: Distribution, _node: Layout, /) -> Path | None:
        """OpenSearch reads nothing there."""
        return None

    def write_secrets(
        self, distribution: Distribution, node: Layout, secrets: Mapping[str, str], /
    ) -> None:
        """Write the keystore anew; without entries the node makes an empty one."""
        write_keystore("opensearch", distribution.home, distribution.jdk, node.config, secrets)

    def command(self, distribution: Distribution, node: Layout, heap: str) -> list[str]:
        """The JVM and its flags, as in the server's own jvm.options."""
        home = distribution.home
        agent = next((home / "agent").glob("opensearch-agent-[0-9]*.jar"))
        return [
            str(distribution.jdk.tool("java")),
            *common_flags(node, heap),
            "-XX:G1ReservePercent=25",
            "-XX:InitiatingHeapOccupancyPercent=30",
            "-Djava.locale.providers=SPI,CLDR",
            "-Dopensearch.networkaddress.cache.ttl=60",
            "--add-modules=jdk.incubator.vector",
            "--add-opens=java.base/java.nio.file=ALL-UNNAMED",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1",
            f"-javaagent:{agent}",
            f"-Dopensearch.path.home={home}",
            f"-Dopensearch.path.conf={node.config}",
            "-Dopensearch.distribution.type=tar",
            "-Dopensearch.bundled_jdk=false",
            "-cp",
            f"{home}/lib/*",
            "org.opensearch.bootstrap.OpenSearch",
        ]


def of_version(version: str) -> OpenSearch:
    """OpenSearch of another version than the usual one.

    Raises:
        SettingsError: it is none of those that can be run here.
    """
    if version not in RELEASES:
        raise SettingsError(
            f"OpenSearch {version} cannot be run here: choose one of {', '.join(RELEASES)}."
        )
    return OpenSearch(recipe(RELEASES[version]))


def descriptor(module: Module) -> str:
    """The ``plugin-descriptor.properties`` of a module."""
    fields = {
        "description": module.name,
        "version": module.artifact.version,
        "name": module.name,
        "classname": module.classname,
        "java.version": "21",
        "opensearch.version": module.artifact.version,
        "custom.foldername": "",
        "extended.plugins": ",".join(module.extends),
        "has.native.controller": "false",
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items())
