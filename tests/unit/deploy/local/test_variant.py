from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from deploy.local.distribution import Distribution
from deploy.local.opensearch_tools import PLUGIN_TOOL
from deploy.local.toolchain import Jdk
from deploy.local.variant import PluginZip, with_plugin
from plugin.ranking.errors import LocalEngineError, SettingsError

from .conftest import FakeEngine

# Installs as the plugin tool does: into the plugins folder of the home it is told.
TOOL = """#!/bin/sh
for word; do case "$word" in -Dopensearch.path.home=*) home="${word#*=}";; esac; done
echo run >> "$(dirname "$0")/runs"
mkdir -p "$home/plugins/rankside"
"""

pytestmark = pytest.mark.usefixtures("not_root", "tool")


def write_zip(file: Path, *, jar: str = "jar") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("plugin-descriptor.properties", "name=rankside\nversion=0.1.0\n")
        archive.writestr("rankside.jar", jar)
    return file


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A ``java`` that stands in for the plugin tool."""
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(TOOL)
    java.chmod(0o755)
    return java


@pytest.fixture
def plain(tmp_path: Path) -> Distribution:
    home = tmp_path / "root" / "engines" / "plain"
    (home / "plugins").mkdir(parents=True)
    (home / PLUGIN_TOOL).mkdir(parents=True)
    (home / "lib" / "server.jar").write_text("server")
    return Distribution(FakeEngine(), home, Jdk(tmp_path / "jdk", 25))


def installed(plain: Distribution, zipped: Path) -> Distribution:
    return with_plugin(plain, PluginZip.read(zipped), plain.home.parents[1])


def test_the_plugin_is_beside_the_plain_distribution_not_in_it(
    plain: Distribution, tmp_path: Path
) -> None:
    made = installed(plain, write_zip(tmp_path / "a.zip"))
    assert made.plugin is not None
    assert made.plugin.startswith("rankside-0.1.0-")
    assert made.home == plain.home.with_name(f"plain-{made.plugin}")
    assert (made.home / "plugins" / "rankside").is_dir()
    assert not (plain.home / "plugins" / "rankside").exists()


def test_what_both_have_is_on_disk_once(plain: Distribution, tmp_path: Path) -> None:
    made = installed(plain, write_zip(tmp_path / "a.zip"))
    assert (made.home / "lib" / "server.jar").samefile(plain.home / "lib" / "server.jar")


def test_it_is_installed_once_for_each_content_of_the_zip(
    plain: Distribution, tool: Path, tmp_path: Path
) -> None:
    zipped = write_zip(tmp_path / "a.zip")
    first = installed(plain, zipped)
    assert installed(plain, zipped) == first
    other = installed(plain, write_zip(zipped, jar="changed"))
    assert other.home != first.home
    assert (tool.parent / "runs").read_text() == "run\n" * 2


def test_where_the_tool_is_not_to_be_had_the_plugin_is_unpacked(
    plain: Distribution, tool: Path, tmp_path: Path
) -> None:
    (plain.home / PLUGIN_TOOL).rmdir()
    made = installed(plain, write_zip(tmp_path / "a.zip"))
    unpacked = made.home / "plugins" / "rankside"
    assert {file.name for file in unpacked.iterdir()} == {
        "plugin-descriptor.properties",
        "rankside.jar",
    }
    assert {file.stat().st_mode & 0o777 for file in unpacked.iterdir()} == {0o644}
    assert not (tool.parent / "runs").exists()


def test_a_refusal_of_the_tool_is_quoted_and_leaves_nothing(
    plain: Distribution, tool: Path, tmp_path: Path
) -> None:
    tool.write_text("#!/bin/sh\necho '@ WARNING @' >&2\necho 'ERROR: jar hell!' >&2\nexit 78\n")
    with pytest.raises(LocalEngineError, match=r"plugin tool refused to install .*: jar hell!$"):
        installed(plain, write_zip(tmp_path / "a.zip"))
    assert [home.name for home in plain.home.parent.iterdir()] == ["plain"]


def test_what_is_no_plugin_is_refused_by_name(tmp_path: Path) -> None:
    text, without = tmp_path / "text.zip", tmp_path / "without.zip"
    text.write_text("no zip")
    with zipfile.ZipFile(without, "w") as archive:
        archive.writestr("a.jar", "jar")
    for file in (text, without, tmp_path / "missing.zip", tmp_path):
        with pytest.raises(SettingsError, match=f"{file} is no plugin's zip: give the one"):
            PluginZip.read(file)
