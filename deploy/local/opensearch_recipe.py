"""What OpenSearch is made of on Maven Central, version by version.

One version is there with k-NN, ml-commons and neural-search. Newer ones are there as the core and
its modules alone: enough to see that a plugin loads, not to search by vectors.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.opensearch_tools import PLUGIN_TOOL
from deploy.local.recipe import Artifact, Module, Recipe

VERSION = "3.6.0"
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


@dataclass(frozen=True, slots=True)
class Release:
    """One version: what it was built with, and whether its plugins and plugin tool can be had."""

    version: str
    log4j: str
    byte_buddy: str
    whole: bool = False
    download_mb: int = 100


RELEASES: Mapping[str, Release] = {
    release.version: release
    for release in (
        Release(VERSION, log4j="2.25.3", byte_buddy="1.17.7", whole=True, download_mb=520),
        Release("3.8.0", log4j="2.25.4", byte_buddy="1.18.8"),
    )
}


def recipe(release: Release) -> Recipe:
    """What the distribution of this version is made of."""
    return Recipe(
        engine="opensearch",
        version=release.version,
        java=21,
        folders=_folders(release),
        modules=_modules(release),
        plugins=_plugins(release) if release.whole else (),
        skipped=("onnxruntime_gpu-*.jar", *_other_platforms()),
        download_mb=release.download_mb,
    )


def _folders(release: Release) -> tuple[tuple[str, tuple[Artifact, ...]], ...]:
    version = release.version
    lib = (
        Artifact(_OPENSEARCH, "opensearch", version),
        # What the server needs and its POM does not say.
        Artifact(_OPENSEARCH, "opensearch-plugin-classloader", version),
        Artifact("org.apache.logging.log4j", "log4j-core", release.log4j),
        Artifact("org.locationtech.jts", "jts-core", "1.20.0"),
        Artifact("org.locationtech.spatial4j", "spatial4j", "0.8"),
        # Without it ml-commons never answers the creation of a connector.
        Artifact("org.bouncycastle", "bc-fips", "2.1.2"),
    )
    # The plugin tool leaves the jars of its own folder out when it looks for jar hell.
    tool = (Artifact(_OPENSEARCH, "opensearch-plugin-cli", version),)
    agent = (
        Artifact(_OPENSEARCH, "opensearch-agent", version, transitive=False),
        Artifact(_OPENSEARCH, "opensearch-agent-bootstrap", version, transitive=False),
        Artifact("net.bytebuddy", "byte-buddy", release.byte_buddy, transitive=False),
    )
    return (
        ("lib", lib),
        *(((PLUGIN_TOOL, tool),) if release.whole else ()),
        ("agent", agent),  # one folder, original names: the agent's manifest names its neighbours
    )


def _plugins(release: Release) -> tuple[Artifact, ...]:
    names = (
        "opensearch-job-scheduler",
        "opensearch-knn",
        "opensearch-ml-plugin",
        "neural-search",
    )
    return tuple(
        Artifact(_PLUGIN, name, f"{release.version}.0", type="zip", transitive=False)
        for name in names
    )


def _modules(release: Release) -> tuple[Module, ...]:
    def module(
        name: str, classname: str, *, artifact: str = "", extends: str = "", policy: str = ""
    ) -> Module:
        coordinates = Artifact(_PLUGIN, artifact or name, release.version)
        parents = (extends,) if extends else ()
        return Module(name, coordinates, f"org.opensearch.{classname}", parents, policy)

    # k-NN and neural-search extend it; nothing else does.
    grpc = module("transport-grpc", "transport.grpc.GrpcPlugin", policy=_NETWORK_POLICY)
    return (
        module(
            "transport-netty4",
            "transport.Netty4ModulePlugin",
            artifact="transport-netty4-client",
            policy=_NETWORK_POLICY,
        ),
        module("lang-painless", "painless.PainlessModulePlugin"),
        module(
            "analysis-common",
            "analysis.common.CommonAnalysisModulePlugin",
            extends="lang-painless",
        ),
        module("ingest-common", "ingest.common.IngestCommonModulePlugin", extends="lang-painless"),
        module(
            "search-pipeline-common",
            "search.pipeline.common.SearchPipelineCommonModulePlugin",
        ),
        module(
            "mapper-extras",
            "index.mapper.MapperExtrasModulePlugin",
            artifact="mapper-extras-client",
        ),
        module("parent-join", "join.ParentJoinModulePlugin", artifact="parent-join-client"),
        module(
            "reindex",
            "index.reindex.ReindexModulePlugin",
            artifact="reindex-client",
            policy=_NETWORK_POLICY,
        ),
        module(
            "lang-mustache",
            "script.mustache.MustacheModulePlugin",
            artifact="lang-mustache-client",
        ),
        module("geo", "geo.GeoModulePlugin"),
        *((grpc,) if release.whole else ()),
    )


def _other_platforms() -> tuple[str, ...]:
    """QUIC libraries of other machines: 20 MB that no node here can load."""
    ours = {"x86_64": "x86_64", "aarch64": "aarch_64"}.get(platform.machine(), "x86_64")
    others = {"x86_64", "aarch_64"} - {ours}
    tags = ["osx-*", "windows-*", *(f"linux-{other}*" for other in sorted(others))]
    return tuple(f"netty-codec-native-quic-*-{tag}" for tag in tags)
