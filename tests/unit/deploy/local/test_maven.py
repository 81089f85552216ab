from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploy.local.maven import pom, resolve
from deploy.local.recipe import Artifact
from plugin.ranking.errors import LocalEngineError

NAMESPACES = {"m": "http://maven.apache.org/POM/4.0.0"}
SERVER = Artifact("org.example", "server", "1.2")
PLUGIN = Artifact("org.example", "plugin", "1.2.0", type="zip", transitive=False)


def executable(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_a_pom_names_its_dependencies() -> None:
    project = ET.fromstring(pom("group", [SERVER, PLUGIN]))
    dependencies = project.findall("m:dependencies/m:dependency", NAMESPACES)
    fields = [{e.tag.rpartition("}")[2]: e.text for e in entry} for entry in dependencies]
    assert project.findtext("m:packaging", namespaces=NAMESPACES) == "pom"
    assert [(f["groupId"], f["artifactId"], f["version"], f["type"]) for f in fields] == [
        ("org.example", "server", "1.2", "jar"),
        ("org.example", "plugin", "1.2.0", "zip"),
    ]


def test_only_an_artifact_by_itself_excludes_its_dependencies() -> None:
    project = ET.fromstring(pom("group", [SERVER, PLUGIN]))
    excluded = [
        entry.findtext("m:exclusions/m:exclusion/m:artifactId", namespaces=NAMESPACES)
        for entry in project.findall("m:dependencies/m:dependency", NAMESPACES)
    ]
    assert excluded == [None, "*"]


def test_a_parent_pom_names_its_modules() -> None:
    project = ET.fromstring(pom("all", modules=["lib", "plugins"]))
    assert [e.text for e in project.findall("m:modules/m:module", NAMESPACES)] == ["lib", "plugins"]


def test_text_is_escaped() -> None:
    assert b"<artifactId>a&amp;b</artifactId>" in pom("a&b")


def test_files_are_read_where_maven_wrote_them(tmp_path: Path) -> None:
    maven = executable(
        tmp_path / "mvn",
        'for g in lib modules-x; do echo "/m2/$g.jar:/m2/b.jar" > "$(dirname $3)/$g/classpath.txt";'
        " done; sleep 0.3",
    )
    seen: list[int] = []
    files = resolve(
        {"lib": [SERVER], "modules/x": [PLUGIN]},
        tmp_path / "work",
        maven=maven,
        java_home=tmp_path,
        written=seen.append,
    )
    assert files == {
        "lib": [Path("/m2/lib.jar"), Path("/m2/b.jar")],
        "modules/x": [Path("/m2/modules-x.jar"), Path("/m2/b.jar")],
    }
    assert seen == sorted(seen) != []


def test_a_failure_is_one_sentence_with_mavens_own_reason(tmp_path: Path) -> None:
    maven = executable(
        tmp_path / "mvn",
        "echo '[INFO] Scanning'; echo '[ERROR] no route to host'; echo '[ERROR] -> x'; exit 1",
    )
    with pytest.raises(LocalEngineError, match=r"check the network .*: no route to host$"):
        resolve({"lib": [SERVER]}, tmp_path / "work", maven=maven, java_home=tmp_path)


def test_maven_runs_on_the_jdk_it_is_given_and_keeps_the_users_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAVEN_OPTS", "-Dmine=1")
    maven = executable(tmp_path / "mvn", 'echo "$JAVA_HOME $MAVEN_OPTS"; exit 1')
    (tmp_path / "work").mkdir()
    with pytest.raises(LocalEngineError, match=r"the/jdk .*-Dmine=1"):
        resolve({}, tmp_path / "work", maven=maven, java_home=Path("the/jdk"))
