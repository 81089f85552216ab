"""The Java modules of the engine plugins: they compile without a warning and their tests pass.

Each plugin is built for the version that the local nodes run, for the newest, and for the one
before that. Of Elasticsearch the local nodes run the newest.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy import local
from deploy.local import EngineName
from deploy.local.places import cache_root
from deploy.local.toolchain import find_jdk, find_maven

REPOSITORY = Path(__file__).parents[3]
JAVA = 21
OTHER_VERSIONS: list[tuple[EngineName, str]] = [
    ("opensearch", "3.9.0"),
    ("opensearch", "3.8.0"),
    ("elasticsearch", "9.5.2"),
]
LOCAL: Mapping[EngineName, str] = {
    name: engine.recipe.version for name, engine in local.ENGINES.items()
}
POM = ET.parse(REPOSITORY / "plugin" / "pom.xml")
MODULES = {str(module.text) for module in POM.iterfind("{*}modules/{*}module")}
# Who knows no engine, and is in the zips of both.
SHARED = MODULES - LOCAL.keys()
DESCRIPTOR = {"name": "rankside", "version": "0.1.0", "java.version": str(JAVA)}
# What a plugin's zip has beside its jars, and what its descriptor says beside the rest.
POLICIES: Mapping[EngineName, str] = {
    "opensearch": "plugin-security.policy",
    "elasticsearch": "entitlement-policy.yaml",
}
OWN_FIELDS: Mapping[EngineName, Mapping[str, str]] = {
    "opensearch": {
        "custom.foldername": "",
        "extended.plugins": "",
        "has.native.controller": "false",
    },
    "elasticsearch": {},
}
# The sidecar may be at any address, and nothing else is asked for.
GRANTED: Mapping[EngineName, list[str]] = {
    "opensearch": [
        "grant {",
        'permission java.net.SocketPermission "*", "connect,resolve";',
        "};",
    ],
    "elasticsearch": ["ALL-UNNAMED:", "- outbound_network"],
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy, so that nobody else's Maven meets this one; the folder of the parent POM."""
    shutil.copytree(
        REPOSITORY / "plugin", tmp_path / "plugin", ignore=shutil.ignore_patterns("target", "*.py")
    )
    shutil.copytree(REPOSITORY / "tests" / "cases", tmp_path / "tests" / "cases")
    return tmp_path / "plugin"


def test_all_tests_pass_and_the_zips_are_whole(sources: Path) -> None:
    verify(sources)
    for module in MODULES:
        check_reports(sources / module)
    for engine, version in LOCAL.items():
        check_zip(engine, sources, version)


@pytest.mark.parametrize(("engine", "version"), OTHER_VERSIONS)
def test_each_plugin_is_for_the_newest_version_and_the_one_before(
    sources: Path, engine: EngineName, version: str
) -> None:
    # The tests of the others say the same whichever version that is.
    verify(sources, f"-D{engine}.version={version}", *only_tests_of(engine))
    check_reports(sources / engine)
    check_zip(engine, sources, version)


def test_vectors_are_read_by_the_newest_lucene_as_by_the_oldest(sources: Path) -> None:
    """The one that OpenSearch 3.6 brings is in the POM; Elasticsearch 9.5 brings the newest."""
    assert POM.findtext(".//{*}properties/{*}lucene.version") == lucene_of("opensearch")
    newest = lucene_of("elasticsearch")
    assert newest != lucene_of("opensearch")
    verify(sources, f"-Dlucene.version={newest}", *only_tests_of("lucene"))
    check_reports(sources / "lucene")


@pytest.mark.parametrize("engine", LOCAL)
def test_the_pom_is_for_the_version_of_the_local_nodes(engine: EngineName) -> None:
    assert POM.findtext(f".//{{*}}properties/{{*}}{engine}.version") == LOCAL[engine]


def only_tests_of(module: str) -> tuple[str, ...]:
    """Maven's words for a module and what it needs, of which nothing else is tested."""
    tests = (f"-Dtest=org.rankside.{module}.**", "-Dsurefire.failIfNoSpecifiedTests=false")
    return ("-pl", module, "-am", *tests, "-DfailIfNoTests=false")


def lucene_of(engine: EngineName) -> str:
    """The Lucene that the local nodes of an engine run on."""
    kind = local.ENGINES[engine]
    home = local.assemble(kind, cache_root(), find_jdk(kind.recipe.java)).home
    (jar,) = (home / "lib").glob("lucene-core-*.jar")
    return jar.stem.removeprefix("lucene-core-")


def verify(sources: Path, *words: str) -> None:
    command = [str(find_maven()), "-B", "-q", "-f", str(sources / "pom.xml"), *words, "verify"]
    environment = {**os.environ, "JAVA_HOME": str(find_jdk(JAVA).home)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]


def check_reports(module: Path) -> None:
    """Every test class has run, and none of its tests was skipped."""
    reports = (module / "target" / "surefire-reports").glob("*.xml")
    suites = [ET.parse(file).getroot() for file in reports]
    written = list((module / "src" / "test").rglob("*Test.java"))
    assert {suite.attrib["name"].rpartition(".")[2] for suite in suites} == {
        file.stem for file in written
    }
    assert sum(int(suite.attrib["skipped"]) for suite in suites) == 0


def check_zip(engine: EngineName, sources: Path, version: str) -> None:
    """Our own jars, the descriptor and the policy: nothing that the engine has itself."""
    zipped = sources / engine / "target" / f"rankside-{engine}-{version}.zip"
    with zipfile.ZipFile(zipped) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    jars = {f"rankside-{module}-0.1.0.jar" for module in (*SHARED, engine)}
    assert content.keys() == jars | {"plugin-descriptor.properties", POLICIES[engine]}
    lines = content["plugin-descriptor.properties"].decode().splitlines()
    fields = dict(line.split("=", 1) for line in lines if line)
    assert fields.pop("description")
    assert fields == {
        **DESCRIPTOR,
        **OWN_FIELDS[engine],
        f"{engine}.version": version,
        "classname": f"org.rankside.{engine}.RanksidePlugin",
    }
    policy = [line.strip() for line in content[POLICIES[engine]].decode().splitlines()]
    assert [line for line in policy if line and not line.startswith(("//", "#"))] == GRANTED[engine]
    for jar in jars:
        with zipfile.ZipFile(io.BytesIO(content[jar])) as archive:
            classes = [name for name in archive.namelist() if name.endswith(".class")]
        assert classes
        assert [name for name in classes if not name.startswith("org/rankside/")] == []
