from __future__ import annotations

import threading
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.local.distribution import assemble, unpack_plugin, without
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError

from .conftest import RECIPE, FakeEngine

pytestmark = pytest.mark.usefixtures("not_root", "maven")


@dataclass(frozen=True)
class BrokenEngine(FakeEngine):
    def finish(self, _home: Path, _jdk: Jdk, /) -> None:
        raise LocalEngineError("the compiler is missing")


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven that finds one jar; each of its runs leaves a line in the file returned."""
    runs = tmp_path / "runs"
    jar = tmp_path / "server-1.jar"
    jar.write_text("jar")
    mvn = tmp_path / "bin" / "mvn"
    mvn.parent.mkdir()
    mvn.write_text(
        f'#!/bin/sh\necho run >> {runs}\nd="${{3%/*}}"\necho "{jar}" > "$d/lib/classpath.txt"\n'
    )
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{mvn.parent}:/usr/bin:/bin")
    return runs


def test_a_distribution_is_made_once(tmp_path: Path, jdk: Jdk, maven: Path) -> None:
    root = tmp_path / "root"
    steps: list[tuple[str, float]] = []
    made = assemble(FakeEngine(), root, jdk, progress=lambda *step: steps.append(step))
    assert (made.home / "lib" / "server-1.jar").read_text() == "jar"
    assert (made.home / "finished").exists()
    assert made.home.name == RECIPE.label()
    assert assemble(FakeEngine(), root, jdk) == made
    assert maven.read_text() == "run\n"
    shares = [done for _, done in steps]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1


def test_another_recipe_is_another_distribution(tmp_path: Path, jdk: Jdk) -> None:
    made = assemble(FakeEngine(), tmp_path / "root", jdk)
    newer = FakeEngine(recipe=replace(RECIPE, version="0.2"))
    assert assemble(newer, tmp_path / "root", jdk).home != made.home
    assert made.home.is_dir()


def test_a_failure_leaves_nothing_and_the_next_call_repairs(tmp_path: Path, jdk: Jdk) -> None:
    with pytest.raises(LocalEngineError, match=r"the compiler is missing"):
        assemble(BrokenEngine(), tmp_path / "root", jdk)
    assert list((tmp_path / "root" / "engines").iterdir()) == []
    assert assemble(FakeEngine(), tmp_path / "root", jdk).home.is_dir()


def test_what_a_killed_call_left_is_swept_away(tmp_path: Path, jdk: Jdk) -> None:
    left = tmp_path / "root" / "engines" / f"{RECIPE.label()}.partial-killed"
    left.mkdir(parents=True)
    (left / "half a jar").touch()
    made = assemble(FakeEngine(), tmp_path / "root", jdk)
    assert list(made.home.parent.iterdir()) == [made.home]


def test_callers_at_the_same_time_share_one_assembly(tmp_path: Path, jdk: Jdk, maven: Path) -> None:
    homes: list[Path] = []
    threads = [
        threading.Thread(
            target=lambda: homes.append(assemble(FakeEngine(), tmp_path / "root", jdk).home)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(homes) == 4
    assert len(set(homes)) == 1
    assert maven.read_text() == "run\n"


def test_everybody_may_read_it(tmp_path: Path, jdk: Jdk) -> None:
    home = assemble(FakeEngine(), tmp_path / "root", jdk).home
    for path in [home, *home.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_a_module_carries_no_jar_its_parents_have(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "log4j.jar").touch()
    files = [Path("/m2/log4j.jar"), Path("/m2/netty.jar"), Path("/m2/netty-osx-arm.jar")]
    assert without(files, [lib], ["*-osx-*"]) == [Path("/m2/netty.jar")]


def test_a_plugin_goes_into_the_folder_its_descriptor_names(tmp_path: Path) -> None:
    zipped = tmp_path / "opensearch-ml-plugin.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("plugin-descriptor.properties", "# name=wrong\nversion=1\nname=ml\n")
        archive.writestr("ml.jar", "jar")
        archive.writestr("lib/onnxruntime_gpu-1.jar", "huge")
    folder = unpack_plugin(zipped, tmp_path / "plugins", ["onnxruntime_gpu-*.jar"])
    assert folder == tmp_path / "plugins" / "ml"
    assert sorted(p.name for p in folder.rglob("*")) == ["ml.jar", "plugin-descriptor.properties"]
