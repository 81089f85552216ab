"""Keystores of nodes, written by the engines' own libraries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from deploy.local.recipe import EngineName
from deploy.local.toolchain import Jdk, run_tool
from plugin.ranking.errors import SettingsError

# As the keystore itself demands; a value with a line break would be read as a second entry.
_ENTRY = re.compile(r"[A-Za-z0-9_\-.]+=.*")
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def keystore_writer(engine: EngineName) -> str:
    """The Java source that writes this engine's keystore."""
    return f"rankside/local/{engine}/KeystoreWriter.java"


def write_keystore(
    engine: EngineName, home: Path, jdk: Jdk, config: Path, entries: Mapping[str, str]
) -> None:
    """Replace the node's keystore by one of these entries; by none at all if there are none.

    Raises:
        LocalEngineError: it could not be written.
        SettingsError: an entry's name or value cannot be one.
    """
    (config / f"{engine}.keystore").unlink(missing_ok=True)
    if not entries:
        return
    lines = [f"{name}={value}" for name, value in entries.items()]
    if wrong := [line.partition("=")[0] for line in lines if not _ENTRY.fullmatch(line)]:
        raise SettingsError(
            f"{wrong[0]!r} cannot be put into the keystore: its name may have letters, digits, '.',"
            " '_' and '-', its value one line."
        )
    source = resources.files("deploy.local") / "java" / keystore_writer(engine)
    with resources.as_file(source) as program:
        java: list[str | Path] = [
            jdk.tool("java"),
            *_QUICK,
            "-cp",
            f"{home}/lib/*",
            program,
            config,
        ]
        run_tool(java, given="\n".join(lines))
