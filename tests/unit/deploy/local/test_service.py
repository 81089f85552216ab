from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import RunningNode, service
from deploy.local.distribution import Distribution
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError, SettingsError

from .conftest import FakeEngine

Up = Callable[..., RunningNode]

pytestmark = pytest.mark.usefixtures("not_root")


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """`up` of an engine that needs neither Maven nor a JDK; stopped after the test."""

    def assemble(engine: FakeEngine, root: Path, jdk: Jdk, **_options: object) -> Distribution:
        return Distribution(engine, root, jdk)

    def with_plugin(
        plain: Distribution, plugin: service.PluginZip, _root: Path, **_options: object
    ) -> Distribution:
        return replace(plain, plugin=plugin.label)

    monkeypatch.setattr(service, "ENGINES", {"opensearch": FakeEngine()})
    monkeypatch.setattr(service, "find_jdk", lambda lowest: Jdk(tmp_path, lowest))
    monkeypatch.setattr(service, "assemble", assemble)
    monkeypatch.setattr(service, "with_plugin", with_plugin)
    yield lambda **options: service.up("opensearch", root=tmp_path, **options)
    service.down("opensearch", root=tmp_path)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "plugin.zip", "w") as archive:
        archive.writestr("plugin-descriptor.properties", "name=rankside\nversion=0.1.0\n")
    return tmp_path / "plugin.zip"


def test_a_node_with_the_plugin_is_found_whether_or_not_it_is_asked_for(
    up: Up, plugin: Path
) -> None:
    started = up(plugin=plugin)
    assert started.plugin is not None
    assert started.plugin.startswith("rankside-0.1.0-")
    assert up(plugin=plugin) == started == up()


def test_a_running_node_without_the_plugin_is_no_answer_to_one_with_it(
    up: Up, plugin: Path
) -> None:
    up()
    with pytest.raises(
        LocalEngineError,
        match=r"'default' runs as 0\.1 with no plugin, not as 0\.1 with rankside.*: stop it with",
    ):
        up(plugin=plugin)
    assert up(plugin=plugin, fresh=True).plugin is not None


def test_a_running_node_of_another_version_is_no_answer(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = up()
    monkeypatch.setattr(service, "of_version", lambda _version: FakeEngine())
    with pytest.raises(LocalEngineError, match=r"runs as 0\.1 with no plugin, not as 0\.2 with"):
        up(version="0.2")
    assert up(version="0.1") == started


def test_a_version_that_cannot_be_run_is_refused_before_anything_is_fetched(
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError, match=r"one version of elasticsearch here: leave version"):
        service.up("elasticsearch", version="9.0.0", root=tmp_path / "root")
    with pytest.raises(SettingsError, match=r"OpenSearch 1\.0 cannot be run here: choose one of 3"):
        service.up("opensearch", version="1.0", root=tmp_path / "root")
    assert not (tmp_path / "root").exists()
