"""Artifacts from Maven Central, by one run of the `mvn` that is installed here.

Every group of artifacts becomes one module of a throw-away reactor, and the dependency plugin's
``build-classpath`` writes where each group's files lie in the local repository: nothing is copied
twice, and groups do not bend each other's versions.
"""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local.recipe import Artifact
from plugin.ranking.errors import LocalEngineError

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
_NAMESPACE = "http://maven.apache.org/POM/4.0.0"
_CLASSPATH = "classpath.txt"
_GOAL = ("-T2", _PLUGIN, "-DincludeScope=runtime", f"-Dmdep.outputFile={_CLASSPATH}")


def pom(name: str, artifacts: Sequence[Artifact] = (), modules: Sequence[str] = ()) -> bytes:
    """A POM of packaging ``pom`` with these dependencies and reactor modules, as UTF-8 XML."""
    project = ET.Element("project", xmlns=_NAMESPACE)
    for tag, text in {
        "modelVersion": "4.0.0",
        "groupId": "rankside.local",
        "artifactId": name,
        "version": "1",
        "packaging": "pom",
    }.items():
        ET.SubElement(project, tag).text = text
    if modules:
        listed = ET.SubElement(project, "modules")
        for module in modules:
            ET.SubElement(listed, "module").text = module
    dependencies = ET.SubElement(project, "dependencies")
    for artifact in artifacts:
        _dependency(dependencies, artifact)
    return bytes(ET.tostring(project, encoding="utf-8", xml_declaration=True))


def _dependency(parent: ET.Element, artifact: Artifact) -> None:
    element = ET.SubElement(parent, "dependency")
    ET.SubElement(element, "groupId").text = artifact.group
    ET.SubElement(element, "artifactId").text = artifact.name
    ET.SubElement(element, "version").text = artifact.version
    ET.SubElement(element, "type").text = artifact.type
    if not artifact.transitive:
        exclusion = ET.SubElement(ET.SubElement(element, "exclusions"), "exclusion")
        ET.SubElement(exclusion, "groupId").text = "*"
        ET.SubElement(exclusion, "artifactId").text = "*"


def resolve(
    groups: Mapping[str, Sequence[Artifact]],
    work: Path,
    *,
    maven: Path,
    java_home: Path,
    written: Callable[[int], None] | None = None,
) -> dict[str, list[Path]]:
    """The files of every group, fetched where the local repository lacks them.

    ``work`` takes the generated POMs; ``written`` is told now and then how many bytes Maven has
    written so far.

    Raises:
        LocalEngineError: Maven failed; the message carries its first error line.
    """
    folders = _reactor(groups, work)
    log = work / "maven.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own words, no shell
            [str(maven), "-B", "-f", f"{work}/pom.xml", *_GOAL],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=_environment(java_home),
        )
        _follow(process, written)
    if process.returncode != 0:
        raise LocalEngineError(_failure(log.read_text("utf-8", errors="replace")))
    return {name: _classpath(folder / _CLASSPATH) for name, folder in folders.items()}


def package(
    project: Path, module: str, properties: Mapping[str, str], *, maven: Path, java_home: Path
) -> None:
    """Run ``mvn package`` of one module of the project, and of those it needs, in place.

    Raises:
        LocalEngineError: it failed; the message carries Maven's first error line.
    """
    given = [f"-D{key}={value}" for key, value in properties.items()]
    ran = subprocess.run(  # noqa: S603 - our own words, no shell
        [str(maven), "-B", "-f", f"{project}/pom.xml", "-pl", module, "-am", *given, "package"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(java_home),
    )
    if ran.returncode != 0:
        raise LocalEngineError(
            f"The Java module {module!r} cannot be built, so correct its sources, or check the"
            f" network if Maven lacks an artifact: {_first_error(ran.stdout)}"
        )


def _reactor(groups: Mapping[str, Sequence[Artifact]], work: Path) -> dict[str, Path]:
    folders = {name: work / name.replace("/", "-") for name in groups}
    for name, folder in folders.items():
        folder.mkdir(parents=True)
        (folder / "pom.xml").write_bytes(pom(folder.name, groups[name]))
    (work / "pom.xml").write_bytes(pom("all", modules=[f.name for f in folders.values()]))
    return folders


def _environment(java_home: Path) -> dict[str, str]:
    # Maven lives for seconds: the quick compiler alone makes it a third faster.
    options = f"-XX:TieredStopAtLevel=1 {os.environ.get('MAVEN_OPTS', '')}".strip()
    return {**os.environ, "JAVA_HOME": str(java_home), "MAVEN_OPTS": options}


def _follow(process: subprocess.Popen[bytes], written: Callable[[int], None] | None) -> None:
    try:
        while process.poll() is None:
            if written is not None:
                written(_bytes_written(process.pid))
            time.sleep(0.1)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _bytes_written(pid: int) -> int:
    # The `mvn` script ends in `exec java`, so its pid is the downloading process; the kernel
    # counts what it writes, which moves during one large file, as Maven's own lines do not.
    try:
        lines = Path(f"/proc/{pid}/io").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("wchar:")), 0)


def _failure(output: str) -> str:
    return (
        "Maven could not fetch the engine's artifacts, so check the network and the mirrors in"
        " ~/.m2/settings.xml, then call again (what is fetched already is kept): "
        + _first_error(output)
    )


def _first_error(output: str) -> str:
    tagged = (line for line in output.splitlines() if line.startswith("[ERROR]"))
    said = (line.removeprefix("[ERROR]").strip() for line in tagged)
    telling = (line for line in said if line and not line.startswith("COMPILATION ERROR"))
    return next(telling, output.strip()[-300:])


def _classpath(file: Path) -> list[Path]:
    return [Path(entry) for entry in file.read_text("utf-8").strip().split(os.pathsep) if entry]
