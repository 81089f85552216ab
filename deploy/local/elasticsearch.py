"""Elasticsearch 9.5, the core server, as far as Maven Central has it.

Not on Maven Central, hence not in this node: painless, the `english` analyzer, the built-in ingest
processors, inference endpoints, `rrf`, security and the other x-pack parts. What is here: BM25,
`dense_vector`, kNN, retrievers, rescore, bulk, PIT and scroll.

Four small pieces are not there either and are compiled from this project's own sources in
``java/``: the entitlement agent, a console loader, the writer of the message that the server reads
at its start, and the answer to ``GET /``, which clients ask for the version.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from deploy.local.distribution import Distribution
from deploy.local.elasticsearch_plugin import install_plugin
from deploy.local.keystore import write_keystore
from deploy.local.launch import Layout, common_flags
from deploy.local.recipe import Artifact, Module, Recipe
from deploy.local.toolchain import Jdk, find_libzstd, run_tool

VERSION = "9.5.3"
SOURCES = (
    "org/elasticsearch/io/ansi/AnsiConsoleLoader.java",
    "rankside/local/EntitlementAgent.java",
    "rankside/local/RootModule.java",
    "rankside/local/ServerArgsWriter.java",
)
_MANIFEST = "Manifest-Version: 1.0\n"
_AGENT_MANIFEST = f"""\
{_MANIFEST}Agent-Class: rankside.local.EntitlementAgent
Can-Retransform-Classes: true
Can-Redefine-Classes: true
"""
_ROOT_DESCRIPTOR = f"""\
description=The answer to GET /
version={VERSION}
name=rest-root
classname=rankside.local.RootModule
java.version=21
elasticsearch.version={VERSION}
"""
# Who may call the bridge that is patched into java.base.
_BRIDGE_READERS = (
    "org.elasticsearch.entitlement,java.logging,java.net.http,java.naming,jdk.net,java.desktop,"
    "java.compiler,jdk.jlink,jdk.jdi,ALL-UNNAMED"
)
_NATIVE_READERS = "org.elasticsearch.nativeaccess,org.elasticsearch.foreign,org.apache.lucene.core"


def source(name: str) -> bytes:
    """One of this project's Java files."""
    return (resources.files("deploy.local") / "java" / name).read_bytes()


def recipe() -> Recipe:
    """What the distribution is made of."""
    return Recipe(
        engine="elasticsearch",
        version=VERSION,
        java=21,
        folders=(
            ("lib", (Artifact("org.elasticsearch", "elasticsearch", VERSION),)),
            (
                "lib/entitlement-bridge",
                (Artifact("org.elasticsearch", "elasticsearch-entitlement-bridge", VERSION),),
            ),
        ),
        modules=(
            Module(
                "transport-netty4",
                Artifact("org.elasticsearch.plugin", "transport-netty4", VERSION),
            ),
        ),
        download_mb=70,
        sources=hashlib.sha256(b"".join(map(source, SOURCES))).hexdigest(),
    )


_SETTINGS: dict[str, object] = {
    "network.host": "127.0.0.1",
    "discovery.type": "single-node",
    "bootstrap.memory_lock": False,
    "cluster.routing.allocation.disk.threshold_enabled": False,
}


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """How Elasticsearch is laid out and launched."""

    default_heap: str = "1g"

    @property
    def recipe(self) -> Recipe:
        """Elasticsearch 9.5 core."""
        return recipe()

    @property
    def settings(self) -> Mapping[str, object]:
        """One node by itself, on the loopback interface."""
        return _SETTINGS

    def prepare(self) -> None:
        """Look for the one library that Maven Central lacks."""
        find_libzstd()

    def finish(self, home: Path, jdk: Jdk, /) -> None:
        """Unpack the modules' descriptors, place libzstd, and compile our own pieces."""
        for module in self.recipe.modules:
            _unpack_descriptors(home / "modules" / module.name, module)
        native = home / "lib" / "platform" / _platform()
        native.mkdir(parents=True)
        shutil.copyfile(find_libzstd(), native / "libzstd.so")
        self._compile(home, jdk)
        (home / "modules" / "rest-root" / "plugin-descriptor.properties").write_text(
            _ROOT_DESCRIPTOR, "utf-8"
        )

    def _compile(self, home: Path, jdk: Jdk) -> None:
        lib = home / "lib"
        with tempfile.TemporaryDirectory() as folder:
            classes = compile_sources(jdk, Path(folder), classpath=f"{lib}/*")
            agent = "rankside/local/EntitlementAgent"
            jars = {
                lib / "entitlement-agent" / "entitlement-agent.jar": agent,
                lib / "tools" / "ansi-console" / "console.jar": "org/elasticsearch/io/ansi/",
                home / "modules" / "rest-root" / "rest-root.jar": "rankside/local/RootModule",
                _writer(home): "rankside/local/ServerArgsWriter",
            }
            for jar, prefix in jars.items():
                write_jar(jar, classes, prefix, _AGENT_MANIFEST if prefix == agent else _MANIFEST)

    def install(self, home: Path, jdk: Jdk, zipped: Path, /) -> None:
        """Unpack it once the server's own checks have passed."""
        install_plugin(home, jdk, zipped)

    def standard_input(self, distribution: Distribution, node: Layout, /) -> Path | None:
        """The server's own start message, which holds the node's paths."""
        home = distribution.home
        message = node.tmp / "server-args"
        words: list[str | Path] = [home, node.config, node.logs, node.home.name, message]
        run_tool(
            [
                *(distribution.jdk.tool("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                *("-cp", f"{_writer(home)}:{home}/lib/*", "rankside.local.ServerArgsWriter"),
                *words,
            ]
        )
        return message

    def write_secrets(
        self, distribution: Distribution, node: Layout, secrets: Mapping[str, str], /
    ) -> None:
        """Write the keystore anew; `standard_input` hands it to the server."""
        write_keystore("elasticsearch", distribution.home, distribution.jdk, node.config, secrets)

    def command(self, distribution: Distribution, node: Layout, heap: str) -> list[str]:
        """The JVM and its flags, as in the server's own jvm.options and launcher."""
        home = distribution.home
        bridge = next((home / "lib" / "entitlement-bridge").glob("*.jar"))
        return [
            str(distribution.jdk.tool("java")),
            *common_flags(node, heap),
            "-Djava.locale.providers=CLDR",
            "-Dlog4j2.formatMsgNoLookups=true",
            "-Des.networkaddress.cache.ttl=60",
            "-Des.networkaddress.cache.negative.ttl=10",
            f"-Des.path.home={home}",
            f"-Des.path.conf={node.config}",
            "-Des.distribution.type=tar",
            "-Des.java.type=bundled JDK",
            # libvec is not on Maven Central; without this the server gives up all native access.
            "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
            f"--enable-native-access={_NATIVE_READERS}",
            "--add-modules=jdk.incubator.vector",
            "--add-opens=org.apache.lucene.core/org.apache.lucene.store=org.elasticsearch.simdvec",
            "-XX:+EnableDynamicAgentLoading",
            "-Djdk.attach.allowAttachSelf=true",
            f"--patch-module=java.base={bridge}",
            f"--add-exports=java.base/org.elasticsearch.entitlement.bridge={_BRIDGE_READERS}",
            "--add-modules=jdk.net",
            "--add-modules=ALL-MODULE-PATH",
            "--module-path",
            f"{home}/lib",
            "-m",
            "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch",
        ]


def _writer(home: Path) -> Path:
    return home / "tools" / "server-args-writer.jar"


def _platform() -> str:
    return {"x86_64": "linux-x64", "aarch64": "linux-aarch64"}[platform.machine()]


def _unpack_descriptors(folder: Path, module: Module) -> None:
    """Take descriptor and policy out of the module's jar, where the server does not look."""
    prefix = f"META-INF/es-plugins/{module.name}/"
    with zipfile.ZipFile(folder / f"{module.artifact.name}-{module.artifact.version}.jar") as jar:
        for member in jar.namelist():
            name = member.removeprefix(prefix)
            if member.startswith(prefix) and name:
                (folder / name).write_bytes(jar.read(member))


def compile_sources(jdk: Jdk, work: Path, *, classpath: str) -> Path:
    """Compile all of this project's Java files at once; the folder of the classes.

    Raises:
        LocalEngineError: the compiler failed.
    """
    for name in SOURCES:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(source(name))
    classes = work / "classes"
    javac: list[str | Path] = [jdk.tool("javac"), "-J-XX:TieredStopAtLevel=1", "-proc:none"]
    files = [work / name for name in SOURCES]
    run_tool([*javac, "--release", "21", "-cp", classpath, "-d", classes, *files])
    return classes


def write_jar(jar: Path, classes: Path, prefix: str, manifest: str) -> None:
    """Put the classes whose path starts with ``prefix`` into a jar."""
    jar.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)  # first: some readers stop looking
        for file in sorted(classes.rglob("*.class")):
            name = file.relative_to(classes).as_posix()
            if name.startswith(prefix):
                archive.write(file, name)
