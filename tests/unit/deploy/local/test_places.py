from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.places import cache_root, engine_home, instance_home, locked
from plugin.ranking.errors import LocalEngineError, SettingsError


def test_the_environment_is_read_at_the_call(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_HOME", str(open_folder / "one"))
    assert cache_root() == open_folder / "one"
    monkeypatch.setenv("RANKSIDE_HOME", str(open_folder / "two"))
    assert cache_root() == open_folder / "two"
    assert cache_root(open_folder / "three") == open_folder / "three"


@pytest.mark.usefixtures("not_root")
def test_by_default_it_is_the_users_cache(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANKSIDE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_folder))
    assert cache_root() == open_folder / "rankside"


def test_root_is_told_when_the_engines_user_could_not_enter(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_folder / "private").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(LocalEngineError, match=r"set RANKSIDE_HOME to a folder that all users"):
        cache_root(open_folder / "private" / "home")


def test_a_root_that_cannot_be_made_is_explained(open_folder: Path) -> None:
    (open_folder / "file").touch()
    with pytest.raises(LocalEngineError, match=r"cannot be made.*set RANKSIDE_HOME"):
        cache_root(open_folder / "file" / "home")


def test_distributions_and_instances_do_not_mix() -> None:
    assert engine_home(Path("/r"), "x-1") == Path("/r/engines/x-1")
    assert instance_home(Path("/r"), "opensearch", "a") == Path("/r/instances/opensearch/a")


@given(st.text(max_size=80))
def test_an_instance_is_one_folder_of_its_engine_or_refused(name: str) -> None:
    parent = Path("/r/instances/opensearch")
    try:
        home = instance_home(Path("/r"), "opensearch", name)
    except SettingsError:
        return
    assert home.parent == parent
    assert Path(os.path.normpath(home)) == home


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "a b", "-x", "é", "x" * 65])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"is no name for a node"):
        instance_home(Path("/r"), "opensearch", name)


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def hold() -> None:
        nonlocal inside, most
        with locked(tmp_path, "x"):
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from deploy.local.places import locked\n"
        "with locked(Path(sys.argv[1]), 'x'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with locked(tmp_path, "x"):
        pass


def test_another_users_root_is_explained(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    with (
        pytest.raises(LocalEngineError, match=r"set RANKSIDE_HOME to a folder of your own"),
        locked(tmp_path, "x"),
    ):
        pass
