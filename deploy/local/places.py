"""Where local engines live on disk, outside any repository, and the locks that guard them.

    <root>/engines/<engine>-<version>-<digest>/   a distribution: written once, then only read
    <root>/instances/<engine>/<instance>/         one node: config, data, logs, tmp, state.json
    <root>/plugins/                               zips of our own plugin, built from its sources
    <root>/locks/                                 one file for each of them

The root is ``RANKSIDE_HOME``, else the user's cache directory; for root it is ``/var/cache``,
because the engines run as another user, who may not enter ``/root``.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from deploy.local.recipe import EngineName
from deploy.local.toolchain import make_folder, reachable
from plugin.ranking.errors import LocalEngineError, SettingsError

_INSTANCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def cache_root(chosen: Path | None = None) -> Path:
    """The folder of everything here: ``chosen``, else ``RANKSIDE_HOME``, else the default.

    Raises:
        LocalEngineError: it cannot be made, or the engine's user could not enter it.
    """
    root = (chosen or _default_root()).expanduser().absolute()
    try:
        make_folder(root)
    except OSError as err:
        raise LocalEngineError(
            f"{root} cannot be made ({err.strerror}): set RANKSIDE_HOME to a folder you may write."
        ) from err
    if os.geteuid() == 0 and not reachable(root / "engines"):
        raise LocalEngineError(
            f"{root} cannot be entered by the unprivileged user that the engine runs as: set"
            " RANKSIDE_HOME to a folder that all users may enter, such as /var/cache/rankside."
        )
    return root


def _default_root() -> Path:
    named = os.environ.get("RANKSIDE_HOME")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/cache/rankside")
    return platformdirs.user_cache_path("rankside")


def engine_home(root: Path, label: str) -> Path:
    """The folder of a distribution."""
    return root / "engines" / label


def instance_home(root: Path, engine: EngineName, instance: str) -> Path:
    """The folder of a node.

    Raises:
        SettingsError: the instance's name could not be a folder's name.
    """
    if not _INSTANCE_NAME.fullmatch(instance):
        raise SettingsError(
            f"instance={instance!r} is no name for a node: use letters, digits, '.', '_' and '-'."
        )
    return root / "instances" / engine / instance


def plugin_zips(root: Path) -> Path:
    """The folder of the zips built from our own sources."""
    return root / "plugins"


def made_once(root: Path, place: Path, make: Callable[[Path], Path]) -> None:
    """Have ``make`` make what ``place`` is to hold, a folder or a file, if it is not there yet.

    ``make`` works in the folder it is given, which is beside ``place``, and returns what in it is
    to be moved there. Under a lock: an interrupted or concurrent call never leaves half of it.
    """
    if place.exists():
        return
    with locked(root, place.name):
        if not place.exists():
            _make(place, make)


def _make(place: Path, make: Callable[[Path], Path]) -> None:
    make_folder(place.parent)
    for left in place.parent.glob(f"{place.name}.partial-*"):
        shutil.rmtree(left, ignore_errors=True)  # by an interrupted call
    # A name of its own, as the Maven of an interrupted call may still be running.
    partial = Path(tempfile.mkdtemp(prefix=f"{place.name}.partial-", dir=place.parent))
    try:
        make(partial).rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the lock of this name among all processes on the machine; waits for it.

    The kernel lets go of it when its holder dies, so there are no stale locks.

    Raises:
        LocalEngineError: ``root`` belongs to another user.
    """
    file = root / "locks" / f"{name}.lock"
    try:
        make_folder(file.parent)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as err:
        raise LocalEngineError(
            f"{file} cannot be written ({err.strerror}): set RANKSIDE_HOME to a folder of your own."
        ) from err
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
