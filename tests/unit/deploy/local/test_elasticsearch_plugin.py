from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from deploy.local.elasticsearch_plugin import install_plugin
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError

# Stands in for the server's own checks; it says what it was asked to look at.
JAVA = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/words"
{ending}
"""


@pytest.fixture
def jdk(tmp_path: Path) -> Jdk:
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    return answering(tmp_path, "exit 0")


def answering(folder: Path, ending: str) -> Jdk:
    java = folder / "jdk" / "bin" / "java"
    java.write_text(JAVA.format(ending=ending))
    java.chmod(0o755)
    return Jdk(folder / "jdk", 25)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "plugins").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("plugin-descriptor.properties", "name=rankside\nversion=0.1.0\n")
        archive.writestr("rankside.jar", "jar")
    return tmp_path / "a.zip"


def test_it_is_checked_before_it_is_put_where_the_server_looks(
    home: Path, jdk: Jdk, zipped: Path
) -> None:
    install_plugin(home, jdk, zipped)
    files = {file.name: file for file in (home / "plugins" / "rankside").iterdir()}
    assert files.keys() == {"plugin-descriptor.properties", "rankside.jar"}
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o644}
    *_, program, checked_home, folder = (jdk.home / "bin" / "words").read_text().split()
    assert (program.rpartition("/")[2], checked_home) == ("PluginCheck.java", str(home))
    assert not Path(folder).is_relative_to(home)


@pytest.mark.usefixtures("jdk")
def test_a_refusal_is_quoted_in_a_sentence_and_leaves_nothing(
    home: Path, zipped: Path, tmp_path: Path
) -> None:
    refusing = answering(tmp_path, "echo WARNING >&2\necho 'ERROR: jar hell!' >&2\nexit 1")
    with pytest.raises(LocalEngineError, match=r"would refuse .*a\.zip, so correct.*: jar hell!$"):
        install_plugin(home, refusing, zipped)
    assert list((home / "plugins").iterdir()) == []
