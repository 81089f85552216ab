"""OpenSearch 3.6 with k-NN, ml-commons and neural-search, as Maven Central has them.

Two things differ from the download of opensearch.org: the k-NN plugin has no native library, so
**an index with the faiss engine kills the node** (name ``"engine": "lucene"`` in every method), and
there is no security plugin. The local ONNX runtime of ml-commons (300 MB) is left out: remote
models do not use it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.distribution import Distribution
from deploy.local.launch import Layout, common_flags
from deploy.local.opensearch_tools import PLUGIN_TOOL, write_keystore
from deploy.local.recipe import Artifact, Module, Recipe
from deploy.local.toolchain import Jdk

VERSION = "3.6.0"
_PLUGIN_VERSION = "3.6.0.0"
_OPENSEARCH = "org.opensearch"
_PLUGIN = "org.opensearch.plugin"

# Read only because the Java agent runs; it enforces file, socket and exit permissions.
_NETWORK_POLICY = """\
grant {
  permission java.net.SocketPermission "*", "accept,connect,resolve,listen";
  permission java.net.NetPermission "accessUnixDomainSocket";
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
};
"""


def _module(
    name: str,
    classname: str,
    *,
    artifact: str = "",
    extends: str = "",
    policy: str = "",
) -> Module:
    coordinates = Artifact(_PLUGIN, artifact or name, VERSION)
    return Module(name, coordinates, classname, (extends,) if extends else (), policy)


def _other_platforms() -> tuple[str, ...]:
    """QUIC libraries of other machines: 20 MB that no node here can load."""
    ours = {"x86_64": "x86_64", "aarch64": "aarch_64"}.get(platform.machine(), "x86_64")
    others = {"x86_64", "aarch_64"} - {ours}
    tags = ["osx-*", "windows-*", *(f"linux-{other}*" for other in sorted(others))]
    return tuple(f"netty-codec-native-quic-*-{tag}" for tag in tags)


RECIPE = Recipe(
    engine="opensearch",
    version=VERSION,
    java=21,
    folders=(
        (
            "lib",
            (
                Artifact(_OPENSEARCH, "opensearch", VERSION),
                # What the server needs and its POM does not say.
                Artifact(_OPENSEARCH, "opensearch-plugin-classloader", VERSION),
                Artifact("org.apache.logging.log4j", "log4j-core", "2.25.3"),
                Artifact("org.locationtech.jts", "jts-core", "1.20.0"),
                Artifact("org.locationtech.spatial4j", "spatial4j", "0.8"),
                # Without it ml-commons never answers the creation of a connector.
                Artifact("org.bouncycastle", "bc-fips", "2.1.2"),
            ),
        ),
        # The plugin tool leaves the jars of this folder out when it looks for jar hell.
        (PLUGIN_TOOL, (Artifact(_OPENSEARCH, "opensearch-plugin-cli", VERSION),)),
        (
            "agent",  # one folder, original names: the agent's manifest names its neighbours
            (
                Artifact(_OPENSEARCH, "opensearch-agent", VERSION, transitive=False),
                Artifact(_OPENSEARCH, "opensearch-agent-bootstrap", VERSION, transitive=False),
                Artifact("net.bytebuddy", "byte-buddy", "1.17.7", transitive=False),
            ),
        ),
    ),
    modules=(
        _module(
            "transport-netty4",
            "org.opensearch.transport.Netty4ModulePlugin",
            artifact="transport-netty4-client",
            policy=_NETWORK_POLICY,
        ),
        _module("lang-painless", "org.opensearch.painless.PainlessModulePlugin"),
        _module(
            "analysis-common",
            "org.opensearch.analysis.common.CommonAnalysisModulePlugin",
            extends="lang-painless",
        ),
        _module(
            "ingest-common",
            "org.opensearch.ingest.common.IngestCommonModulePlugin",
            extends="lang-painless",
        ),
        _module(
            "search-pipeline-common",
            "org.opensearch.search.pipeline.common.SearchPipelineCommonModulePlugin",
        ),
        _module(
            "mapper-extras",
            "org.opensearch.index.mapper.MapperExtrasModulePlugin",
            artifact="mapper-extras-client",
        ),
        _module(
            "parent-join",
            "org.opensearch.join.ParentJoinModulePlugin",
            artifact="parent-join-client",
        ),
        _module(
            "reindex",
            "org.opensearch.index.reindex.ReindexModulePlugin",
            artifact="reindex-client",
            policy=_NETWORK_POLICY,
        ),
        _module(
            "lang-mustache",
            "org.opensearch.script.mustache.MustacheModulePlugin",
            artifact="lang-mustache-client",
        ),
        _module("geo", "org.opensearch.geo.GeoModulePlugin"),
        _module(
            "transport-grpc",
            "org.opensearch.transport.grpc.GrpcPlugin",
            policy=_NETWORK_POLICY,
        ),
    ),
    plugins=tuple(
        Artifact(_PLUGIN, name, _PLUGIN_VERSION, type="zip", transitive=False)
        for name in (
            "opensearch-job-scheduler",
            "opensearch-knn",
            "opensearch-ml-plugin",
            "neural-search",
        )
    ),
    skipped=("onnxruntime_gpu-*.jar", *_other_platforms()),
    download_mb=520,
)

_SETTINGS: dict[str, object] = {
    "network.host": "127.0.0.1",
    "discovery.type": "single-node",
    "bootstrap.memory_lock": False,
    "cluster.routing.allocation.disk.threshold_enabled": False,
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

    recipe: Recipe = RECIPE
    default_heap: str = "1g"

    @property
    def settings(self) -> Mapping[str, object]:
        """One node by itself, on the loopback interface."""
        return _SETTINGS

    def prepare(self) -> None:
        """OpenSearch needs nothing but the JDK and Maven."""

    def finish(self, home: Path, _jdk: Jdk, /) -> None:
        """Write what the module jars lack: their descriptors and policies."""
        for module in self.recipe.modules:
            folder = home / "modules" / module.name
            (folder / "plugin-descriptor.properties").write_text(descriptor(module), "utf-8")
            if module.policy:
                (folder / "plugin-security.policy").write_text(module.policy, "utf-8")

    def standard_input(self, _distribution: Distribution, _node: Layout, /) -> Path | None:
        """OpenSearch reads nothing there."""
        return None

    def write_secrets(
        self, distribution: Distribution, node: Layout, secrets: Mapping[str, str], /
    ) -> None:
        """Write the keystore anew; without entries the node makes an empty one."""
        write_keystore(distribution.home, distribution.jdk, node.config, secrets)

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


def descriptor(module: Module) -> str:
    """The ``plugin-descriptor.properties`` of a module."""
    fields = {
        "description": module.name,
        "version": VERSION,
        "name": module.name,
        "classname": module.classname,
        "java.version": "21",
        "opensearch.version": VERSION,
        "custom.foldername": "",
        "extended.plugins": ",".join(module.extends),
        "has.native.controller": "false",
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items())
