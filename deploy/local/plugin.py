"""The zip of our own plugin, built from the Java sources of a git checkout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from deploy.local.distribution import Progress, silent
from deploy.local.elasticsearch import VERSION as ELASTICSEARCH_VERSION
from deploy.local.maven import package
from deploy.local.opensearch_recipe import VERSION as OPENSEARCH_VERSION
from deploy.local.places import cache_root, made_once, plugin_zips
from deploy.local.recipe import EngineName
from deploy.local.toolchain import find_jdk, find_maven
from plugin.ranking.errors import LocalEngineError

SOURCES = Path(__file__).parents[2] / "plugin"
_JAVA = 21
_VERSIONS: Mapping[EngineName, str] = {
    "opensearch": OPENSEARCH_VERSION,
    "elasticsearch": ELASTICSEARCH_VERSION,
}


def build_plugin(
    engine: EngineName = "opensearch",
    *,
    version: str | None = None,
    root: Path | None = None,
    sources: Path = SOURCES,
    progress: Progress = silent,
) -> Path:
    """The plugin's zip for this version of the engine, built anew only if its sources changed.

    Without ``version`` it is for the one that the local nodes run. Built from a copy, so that
    whoever runs Maven in the checkout is not disturbed. ``root`` stands in for ``RANKSIDE_HOME``.

    Raises:
        LocalEngineError: there are no sources here, a JDK or Maven is missing, or they do not
            compile.
    """
    version = version or _VERSIONS[engine]
    files = _read(sources)
    base = cache_root(root)
    place = plugin_zips(base) / f"rankside-{engine}-{version}-{_digest(files)}.zip"

    def build(work: Path) -> Path:
        progress("building the plugin", 0.0)
        _write(files, work)
        maven, jdk = find_maven(), find_jdk(_JAVA)
        properties = {f"{engine}.version": version, "maven.test.skip": "true"}
        package(work, engine, properties, maven=maven, java_home=jdk.home)
        return work / engine / "target" / f"rankside-{engine}-{version}.zip"

    made_once(base, place, build)
    return place


def _read(sources: Path) -> dict[str, bytes]:
    # The POMs of modules that are not built count too: the reactor wants them to be there.
    found = [sources / "pom.xml", *sources.glob("*/pom.xml"), *sources.glob("*/src/main/**/*")]
    files = {
        file.relative_to(sources).as_posix(): file.read_bytes()
        for file in sorted(found)
        if file.is_file()
    }
    if "pom.xml" not in files:
        raise LocalEngineError(
            "The plugin's Java sources are not part of this installation: call from a git"
            " checkout, or give its zip with `--plugin PATH-TO-ZIP`."
        )
    return files


def _digest(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in files.items():
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:10]


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
