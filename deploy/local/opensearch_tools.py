"""OpenSearch's own command-line tools, from their jars: the scripts are not on Maven Central."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from deploy.local.distribution import open_to_all, unpack_plugin
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError

# Where the distribution of opensearch.org has them.
PLUGIN_TOOL = "lib/tools/plugin-cli"
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


def install_plugin(home: Path, jdk: Jdk, zipped: Path) -> None:
    """Install a plugin as an operator would, or unpack it where Maven Central lacks the tool.

    Raises:
        LocalEngineError: the tool refused the plugin.
    """
    if (home / PLUGIN_TOOL).is_dir():
        plugin_tool(home, jdk, "install", "--batch", zipped.resolve().as_uri())
    else:
        open_to_all(unpack_plugin(zipped, home / "plugins", skipped=()))
