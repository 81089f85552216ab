from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local.toolchain import (
    ENGINE_UID,
    find_jdk,
    find_libzstd,
    find_maven,
    java_version,
    make_folder,
    reachable,
    run_tool,
    unprivileged,
)
from plugin.ranking.errors import LocalEngineError


def make_jdk(folder: Path, version: str, programs: tuple[str, ...] = ("java", "javac")) -> Path:
    (folder / "bin").mkdir(parents=True)
    for program in programs:
        (folder / "bin" / program).touch()
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\nOS="Linux"\n')
    return folder


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing installed: no PATH, no JAVA_HOME of any kind."""
    monkeypatch.setenv("PATH", "/nonexistent")
    for key in [key for key in os.environ if key.startswith("JAVA_HOME")]:
        monkeypatch.delenv(key)


@pytest.mark.parametrize(
    ("written", "feature"),
    [("25.0.3", 25), ("21", 21), ("1.8.0_402", 8), ("17.0.15+6", 17), ("26-ea", 26), ("x", None)],
)
def test_feature_version_of_a_jdk(tmp_path: Path, written: str, feature: int | None) -> None:
    assert java_version(make_jdk(tmp_path / "jdk", written)) == feature


def test_a_folder_without_release_file_is_no_jdk(tmp_path: Path) -> None:
    assert java_version(tmp_path) is None


def test_java_home_wins_if_it_is_new_enough(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_jdk(open_folder / "jvm" / "newer", "25.0.1")
    monkeypatch.setenv("JAVA_HOME", str(make_jdk(open_folder / "mine", "21.0.2")))
    assert find_jdk(21, folders=(str(open_folder / "jvm"),)).home == open_folder / "mine"


def test_else_the_newest_that_is_installed(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jvm = open_folder / "jvm"
    make_jdk(jvm / "a", "21.0.2")
    make_jdk(jvm / "b", "25.0.3")
    make_jdk(jvm / "c", "22.0.1")
    monkeypatch.setenv("JAVA_HOME", str(make_jdk(open_folder / "mine", "17.0.1")))
    assert find_jdk(21, folders=(str(jvm),)).version == 25
    assert find_jdk(21, folders=(str(jvm),)).tool("java") == jvm / "b" / "bin" / "java"


def test_named_java_homes_and_javac_on_path_count(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME_22_X64", str(make_jdk(open_folder / "ci", "22.0.1")))
    assert find_jdk(21, folders=()).version == 22
    on_path = make_jdk(open_folder / "path", "23.0.1")
    (on_path / "bin" / "javac").chmod(0o755)
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    assert find_jdk(21, folders=()).version == 23


def test_a_runtime_without_compiler_does_not_count(open_folder: Path) -> None:
    make_jdk(open_folder / "jvm" / "jre", "25.0.3", programs=("java",))
    with pytest.raises(LocalEngineError, match=r"No full JDK 21 or newer"):
        find_jdk(21, folders=(str(open_folder / "jvm"),))


def test_a_missing_jdk_is_said_with_what_is_there(open_folder: Path) -> None:
    old = make_jdk(open_folder / "jvm" / "old", "17.0.1")
    with pytest.raises(LocalEngineError, match=f"found: 17 in {old}.*set JAVA_HOME"):
        find_jdk(21, folders=(str(open_folder / "jvm"),))


def test_for_root_a_jdk_that_others_cannot_reach_does_not_count(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jvm = make_jdk(open_folder / "private" / "jdk", "25.0.3").parent
    jvm.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(LocalEngineError, match=r"found: none"):
        find_jdk(21, folders=(str(jvm),))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert find_jdk(21, folders=(str(jvm),)).version == 25


def test_missing_maven_is_one_sentence() -> None:
    with pytest.raises(LocalEngineError, match=r"`mvn`.* is not on PATH: install it"):
        find_maven()


def test_libzstd_is_found_beside_the_other_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    with pytest.raises(LocalEngineError, match=r"apt-get install libzstd1"):
        find_libzstd(folders=(str(tmp_path),))
    library = tmp_path / "x86_64-linux-gnu" / "libzstd.so.1.5.4"
    library.parent.mkdir()
    library.touch()
    library.with_name("libzstd.so.1").symlink_to(library)
    assert find_libzstd(folders=(str(tmp_path),)) == library


def test_root_steps_down_and_others_stay_as_they_are(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(LocalEngineError, match=r"install util-linux"):
        unprivileged()
    (open_folder / "setpriv").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(open_folder))
    assert unprivileged()[:2] == [str(open_folder / "setpriv"), f"--reuid={ENGINE_UID}"]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged() == []


def test_folders_made_by_root_can_be_entered_whatever_the_umask(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    before = os.umask(0o077)
    try:
        make_folder(open_folder / "a" / "b")
        (open_folder / "c").mkdir()
    finally:
        os.umask(before)
    assert reachable(open_folder / "a" / "b" / "file")
    assert not reachable(open_folder / "c" / "file")


def test_a_failing_tool_is_quoted(tmp_path: Path) -> None:
    tool = tmp_path / "javac"
    tool.write_text("#!/bin/sh\necho 'cannot find symbol' >&2\nexit 1\n")
    tool.chmod(0o755)
    with pytest.raises(LocalEngineError, match=r"javac failed.*cannot find symbol"):
        run_tool([tool])
