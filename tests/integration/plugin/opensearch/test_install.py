"""The zip and the engine's own plugin tool."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from deploy import local
from deploy.local import Distribution, RunningNode
from deploy.local.opensearch_tools import plugin_tool
from deploy.local.places import cache_root
from deploy.local.toolchain import find_jdk
from plugin.ranking.errors import LocalEngineError
from tests.nodes import own_node

OTHERS = {
    "opensearch-job-scheduler",
    "opensearch-knn",
    "opensearch-ml",
    "opensearch-neural-search",
}


@pytest.fixture(scope="module")
def distribution() -> Distribution:
    """OpenSearch as it is without the plugin."""
    engine = local.ENGINES["opensearch"]
    return local.assemble(engine, cache_root(), find_jdk(engine.recipe.java))


@pytest.fixture
def home(distribution: Distribution, tmp_path: Path) -> Path:
    """A home of the engine with the same jars, whose plugins are the test's own."""
    for name in ("lib", "modules"):
        (tmp_path / name).symlink_to(distribution.home / name)
    (tmp_path / "plugins").mkdir()
    return tmp_path


def test_the_tool_installs_lists_and_removes_the_plugin(
    distribution: Distribution, home: Path, plugin_zip: Path
) -> None:
    jdk = distribution.jdk
    plugin_tool(home, jdk, "install", "--batch", plugin_zip.as_uri())
    assert plugin_tool(home, jdk, "list").split() == ["rankside"]
    with zipfile.ZipFile(plugin_zip) as archive:
        names = sorted(archive.namelist())
    assert sorted(file.name for file in (home / "plugins" / "rankside").iterdir()) == names
    with pytest.raises(LocalEngineError, match=r"plugin directory .*rankside\] already exists"):
        plugin_tool(home, jdk, "install", "--batch", plugin_zip.as_uri())
    plugin_tool(home, jdk, "remove", "rankside")
    assert plugin_tool(home, jdk, "list") == ""
    assert list((home / "plugins").iterdir()) == []


def test_the_tool_refuses_a_zip_for_another_version(
    distribution: Distribution, home: Path, plugin_zip: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(plugin_zip) as archive, zipfile.ZipFile(other, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            ours = b"opensearch.version=" + distribution.version.encode()
            changed.writestr(name, content.replace(ours, b"opensearch.version=3.1.0"))
    with pytest.raises(LocalEngineError, match=r"was built for OpenSearch version 3\.1\.0"):
        plugin_tool(home, distribution.jdk, "install", "--batch", other.as_uri())
    assert list((home / "plugins").iterdir()) == []


def test_a_node_without_the_plugin_gets_neither_it_nor_its_settings(
    distribution: Distribution, plugin_node: RunningNode
) -> None:
    assert plugin_node.plugin is not None
    assert {folder.name for folder in (distribution.home / "plugins").iterdir()} == OTHERS
    with (
        pytest.raises(LocalEngineError, match=r"unknown secure setting \[rankside\.auth\.a\.key"),
        own_node("opensearch", heap="512m", secrets={"rankside.auth.a.key": "secret"}),
    ):
        pass
