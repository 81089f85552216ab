"""OpenSearch's own command-line tools, from their jars: the scripts are not on Maven Central."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from deploy.local.toolchain import Jdk, run_tool
from plugin.ranking.errors import LocalEngineError, SettingsError

# Where the distribution of opensearch.org has them.
PLUGIN_TOOL = "lib/tools/plugin-cli"
KEYSTORE_WRITER = "rankside/local/opensearch/KeystoreWriter.java"
# As the keystore itself demands; a value with a line break would be read as a second entry.
_ENTRY = re.compile(r"[A-Za-z0-9_\-.]+=.*")
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def plugin_tool(home: Path, jdk: Jdk, *words: str) -> str:
    """Run ``opensearch-plugin`` with these words on the distribution at ``home``; what it said.

    Raises:
        LocalEngineError: it ended with an error; the message carries what it said of it.
    """
    with tempfile.TemporaryDirectory() as config:
        ran = subprocess.run(  # noqa: S603 - our own words, no shell
            [
                *(str(jdk.tool("java")), *_QUICK),
                *(f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={config}"),
                *(
                    "-Dopensearch.distribution.type=tar",
                    "-cp",
                    f"{home}/lib/*:{home}/{PLUGIN_TOOL}/*",
                ),
                *("org.opensearch.tools.cli.plugin.PluginCli", *words),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode != 0:
        said = " ".join(ran.stderr.rpartition("ERROR:")[2].split())[:300]
        raise LocalEngineError(
            f"OpenSearch's plugin tool refused to {words[0]} {words[-1]}, so correct the plugin or"
            f" give another one: {said}"
        )
    return ran.stdout


def write_keystore(home: Path, jdk: Jdk, config: Path, entries: Mapping[str, str]) -> None:
    """Replace the node's keystore by one of these entries; by none at all if there are none.

    Raises:
        LocalEngineError: it could not be written.
        SettingsError: an entry's name or value cannot be one.
    """
    (config / "opensearch.keystore").unlink(missing_ok=True)
    if not entries:
        return
    lines = [f"{name}={value}" for name, value in entries.items()]
    if wrong := [line.partition("=")[0] for line in lines if not _ENTRY.fullmatch(line)]:
        raise SettingsError(
            f"{wrong[0]!r} cannot be put into the keystore: its name may have letters, digits, '.',"
            " '_' and '-', its value one line."
        )
    source = resources.files("deploy.local") / "java" / KEYSTORE_WRITER
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
