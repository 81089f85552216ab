"""The Java modules of the engine plugins: they compile without a warning and their tests pass.

The plugin is built for the version that the local nodes run, for the newest, and for the one
before that.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from deploy.local.opensearch_recipe import VERSION
from deploy.local.toolchain import find_jdk, find_maven

REPOSITORY = Path(__file__).parents[3]
NEWEST, ONE_BEFORE = "3.9.0", "3.8.0"
JAVA = 21
# The client knows no engine: its tests say the same whichever version that is.
ENGINE_ONLY = (
    *("-pl", "opensearch", "-am", "-Dtest=org.rankside.opensearch.**"),
    *("-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false"),
)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy, so that nobody else's Maven meets this one; the folder of the parent POM."""
    shutil.copytree(
        REPOSITORY / "plugin", tmp_path / "plugin", ignore=shutil.ignore_patterns("target", "*.py")
    )
    shutil.copytree(REPOSITORY / "tests" / "cases", tmp_path / "tests" / "cases")
    return tmp_path / "plugin"


@pytest.mark.parametrize(
    ("version", "words"), [(VERSION, ()), (NEWEST, ENGINE_ONLY), (ONE_BEFORE, ENGINE_ONLY)]
)
def test_the_tests_pass_and_the_zip_is_whole(
    sources: Path, version: str, words: tuple[str, ...]
) -> None:
    verify(sources, f"-Dopensearch.version={version}", *words)
    modules = ["opensearch"] if words else ["client", "opensearch"]
    for module in modules:
        reports = (sources / module / "target" / "surefire-reports").glob("*.xml")
        suites = [ET.parse(file).getroot() for file in reports]
        written = list((sources / module / "src" / "test").rglob("*Test.java"))
        assert {suite.attrib["name"].rpartition(".")[2] for suite in suites} == {
            file.stem for file in written
        }
        assert sum(int(suite.attrib["skipped"]) for suite in suites) == 0
    check_zip(sources / "opensearch" / "target" / f"rankside-opensearch-{version}.zip", version)


def test_the_pom_is_for_the_version_of_the_local_nodes() -> None:
    pom = ET.parse(REPOSITORY / "plugin" / "pom.xml")
    assert pom.findtext(".//{*}properties/{*}opensearch.version") == VERSION


def verify(sources: Path, *words: str) -> None:
    command = [str(find_maven()), "-B", "-q", "-f", str(sources / "pom.xml"), *words, "verify"]
    environment = {**os.environ, "JAVA_HOME": str(find_jdk(JAVA).home)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]


def check_zip(zipped: Path, version: str) -> None:
    """Our two jars, the descriptor and the policy: nothing that the engine has itself."""
    with zipfile.ZipFile(zipped) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    jars = {"rankside-client-0.1.0.jar", "rankside-opensearch-0.1.0.jar"}
    assert content.keys() == jars | {"plugin-descriptor.properties", "plugin-security.policy"}
    lines = content["plugin-descriptor.properties"].decode().splitlines()
    fields = dict(line.split("=", 1) for line in lines if line)
    assert fields.pop("description")
    assert fields == {
        "name": "rankside",
        "version": "0.1.0",
        "opensearch.version": version,
        "java.version": str(JAVA),
        "classname": "org.rankside.opensearch.RanksidePlugin",
        "custom.foldername": "",
        "extended.plugins": "",
        "has.native.controller": "false",
    }
    policy = content["plugin-security.policy"].decode()
    permissions = [line.strip() for line in policy.splitlines() if "permission " in line]
    assert permissions == ['permission java.net.SocketPermission "*", "connect,resolve";']
    for jar in jars:
        with zipfile.ZipFile(io.BytesIO(content[jar])) as archive:
            classes = [name for name in archive.namelist() if name.endswith(".class")]
        assert classes
        assert [name for name in classes if not name.startswith("org/rankside/")] == []
