"""What the machine has to bring: a JDK, Maven, a way to leave root, and for Elasticsearch libzstd.

Each finder returns a path or raises `LocalEngineError` in one sentence that says what to install.
"""

from __future__ import annotations

import ctypes.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin.ranking.errors import LocalEngineError

# The user an engine runs as when we are root; it needs no entry in /etc/passwd.
ENGINE_UID = 10001
_JVM_FOLDERS = (
    "/usr/lib/jvm",
    "/usr/java",
    "/opt/java",
    "/opt/jdk",
    "/usr/local/lib/jvm",
)
_LIB_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64")


@dataclass(frozen=True, slots=True)
class Jdk:
    """A full JDK: its folder and its feature version (21, 25)."""

    home: Path
    version: int

    def tool(self, name: str) -> Path:
        """One of its programs: ``java``, ``javac``."""
        return self.home / "bin" / name


def find_jdk(lowest: int, *, folders: tuple[str, ...] = _JVM_FOLDERS) -> Jdk:
    """The newest full JDK of at least this version: JAVA_HOME if it fits, else the newest found.

    Looked for in ``JAVA_HOME``, ``JAVA_HOME_*``, the usual folders and on ``PATH``. Where we are
    root, a JDK that the engine's user could not read does not count.

    Raises:
        LocalEngineError: none is there; the message lists what was found instead.
    """
    preferred, *others = _java_homes(folders)
    found = [jdk for home in others if home and (jdk := _inspect(home))]
    first = _inspect(preferred) if preferred else None
    fitting = [jdk for jdk in [first, *found] if jdk and jdk.version >= lowest]
    if first in fitting and first is not None:
        return first
    if fitting:
        return max(fitting, key=lambda jdk: jdk.version)
    seen = ", ".join(sorted({f"{jdk.version} in {jdk.home}" for jdk in found})) or "none"
    raise LocalEngineError(
        f"No full JDK {lowest} or newer was found (found: {seen}): install one, for example"
        " Temurin 25, and set JAVA_HOME to its folder."
    )


def _java_homes(folders: tuple[str, ...]) -> Iterator[Path | None]:
    """JAVA_HOME first (or None), then every other folder that may hold a JDK."""
    named = os.environ.get("JAVA_HOME")
    yield Path(named) if named else None
    for key in sorted(os.environ):
        if key.startswith("JAVA_HOME_") and os.environ[key]:
            yield Path(os.environ[key])
    for folder in map(Path, folders):
        yield from sorted(folder.iterdir()) if folder.is_dir() else ()
    if javac := shutil.which("javac"):
        yield Path(javac).resolve().parent.parent


def _inspect(home: Path) -> Jdk | None:
    version = java_version(home)
    complete = all((home / part).exists() for part in ("bin/java", "bin/javac"))
    usable = os.geteuid() != 0 or reachable(home / "bin" / "java")
    return Jdk(home, version) if version and complete and usable else None


def java_version(home: Path) -> int | None:
    """The feature version in a JDK's ``release`` file (``"1.8.0_402"`` is 8), else None."""
    try:
        text = (home / "release").read_text("utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, flags=re.MULTILINE)
    return int(match[1]) if match else None


def find_maven() -> Path:
    """The ``mvn`` on PATH.

    Raises:
        LocalEngineError: there is none.
    """
    found = shutil.which("mvn")
    if found is None:
        raise LocalEngineError(
            "Maven (`mvn`) is not on PATH: install it, for example with `apt-get install maven`."
        )
    return Path(found)


def find_libzstd(*, folders: tuple[str, ...] = _LIB_FOLDERS) -> Path:
    """The system's ``libzstd.so.1``, which Elasticsearch loads and Maven Central does not have.

    Raises:
        LocalEngineError: there is none.
    """
    name = ctypes.util.find_library("zstd") or "libzstd.so.1"
    for folder in map(Path, folders):
        for found in [folder / name, *folder.glob(f"*-linux-gnu/{name}")]:
            if found.is_file():
                return found.resolve()
    raise LocalEngineError(
        "Elasticsearch needs the library libzstd.so.1: install it, for example with"
        " `apt-get install libzstd1`."
    )


def unprivileged() -> list[str]:
    """The words to put before a command so that it does not run as root; none if we are not root.

    Raises:
        LocalEngineError: we are root and `setpriv` is missing.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalEngineError(
            "The engines refuse to run as root and `setpriv` is not on PATH: install util-linux,"
            " or call as another user."
        )
    user = [f"--reuid={ENGINE_UID}", f"--regid={ENGINE_UID}", "--clear-groups"]
    return [setpriv, *user, "--no-new-privs"]


def reachable(path: Path) -> bool:
    """True if any user may enter every folder on the way to ``path`` (those not there yet may)."""
    parents = [parent for parent in path.resolve().parents if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in parents)


def make_folder(path: Path) -> None:
    """Make the folder and its parents; where we are root, so that the engine's user may enter.

    Unlike `Path.mkdir`, whatever the umask.
    """
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                folder.chmod(0o755)


def run_tool(
    command: list[str | Path], *, env: dict[str, str] | None = None, given: str = ""
) -> None:
    """Run one short-lived program of the toolchain; ``given`` is its standard input.

    Raises:
        LocalEngineError: it failed; the message carries the end of what it said.
    """
    result = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, text=True, check=False, env=env, input=given
    )
    if result.returncode != 0:
        said = " ".join((result.stderr or result.stdout).split())[-300:]
        raise LocalEngineError(f"{command[0]} failed, see if this JDK is whole: {said}")
