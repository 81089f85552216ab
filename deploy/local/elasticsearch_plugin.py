"""Plugins of Elasticsearch: its tool that installs them is not on Maven Central.

What the tool does is done here: the zip is unpacked, the server's own library checks descriptor,
entitlements and classes, and only then the folder is put where the server looks.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

from deploy.local.distribution import open_to_all, unpack_plugin
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError

PLUGIN_CHECK = "rankside/local/elasticsearch/PluginCheck.java"
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def install_plugin(home: Path, jdk: Jdk, zipped: Path) -> None:
    """Install a plugin into the distribution at ``home``.

    Raises:
        LocalEngineError: it is not for this version, or not what Elasticsearch takes.
    """
    with tempfile.TemporaryDirectory() as work:
        unpacked = unpack_plugin(zipped, Path(work), skipped=())
        _check(home, jdk, unpacked, zipped)
        open_to_all(Path(shutil.copytree(unpacked, home / "plugins" / unpacked.name)))


def _check(home: Path, jdk: Jdk, unpacked: Path, zipped: Path) -> None:
    with resources.as_file(resources.files("deploy.local") / "java" / PLUGIN_CHECK) as program:
        ran = subprocess.run(  # noqa: S603 - our own words, no shell
            [
                *(str(jdk.tool("java")), *_QUICK, "-cp", f"{home}/lib/*"),
                *(str(program), str(home), str(unpacked)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode != 0:
        said = " ".join(ran.stderr.rpartition("ERROR:")[2].split())[:300]
        raise LocalEngineError(
            f"Elasticsearch would refuse {zipped}, so correct the plugin or give another one:"
            f" {said}"
        )
