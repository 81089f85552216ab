"""What every node has on disk and on its command line, whichever engine it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.recipe import EngineName
from deploy.local.toolchain import ENGINE_UID, make_folder

# Straight to the file: a daemonized Elasticsearch closes its standard output once it has started.
_LOGGING = """\
status = error
appender.file.type = File
appender.file.name = file
appender.file.fileName = {file}
appender.file.append = true
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{{ISO8601}}][%-5p][%-25c{{1.}}] %m%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one node."""

    home: Path

    @property
    def config(self) -> Path:
        """Its configuration, written anew at each start."""
        return self.home / "config"

    @property
    def data(self) -> Path:
        """Its indexes."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """Its log."""
        return self.home / "logs"

    @property
    def tmp(self) -> Path:
        """Its temporary files and its user's home."""
        return self.home / "tmp"

    @property
    def log(self) -> Path:
        """The log of the latest start; the one before is ``node.log.1``."""
        return self.logs / "node.log"

    @property
    def state(self) -> Path:
        """What is known of the running process."""
        return self.home / "state.json"

    def make(self) -> None:
        """Make the folders, with a fresh ``tmp``, and put the last log aside."""
        shutil.rmtree(self.tmp, ignore_errors=True)
        for folder in (self.config, self.data, self.logs, self.tmp):
            make_folder(folder)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch()

    def configure(self, engine: EngineName, settings: Mapping[str, object]) -> None:
        """Write the engine's configuration file and that of its log."""
        (self.config / f"{engine}.yml").write_text(flat_yaml(settings), "utf-8")
        logging = _LOGGING.format(file=self.log)
        (self.config / "log4j2.properties").write_text(logging, "utf-8")

    def configured(self, engine: EngineName, name: str) -> object:
        """What the engine's configuration file, as `configure` wrote it, says of one setting."""
        lines = (self.config / f"{engine}.yml").read_text("utf-8").splitlines()
        return json.loads(dict(line.split(": ", 1) for line in lines)[name])

    def hand_over(self) -> None:
        """Give the engine's user all it has to write, where we are root and it is not."""
        if os.geteuid() != 0:
            return
        for top in (self.config, self.data, self.logs, self.tmp):
            for path in [top, *top.rglob("*")]:
                os.chown(path, ENGINE_UID, ENGINE_UID, follow_symlinks=False)


def flat_yaml(settings: Mapping[str, object]) -> str:
    """Settings as YAML, one ``key: value`` a line; the values are JSON, which YAML contains."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())


def common_flags(layout: Layout, heap: str) -> list[str]:
    """The JVM flags that both engines ship with, and folders a user without a home can write."""
    return [
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-Xss1m",
        "-XX:+UseG1GC",
        "-XX:-OmitStackTraceInFastThrow",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
        "-Djna.nosys=true",
        f"-Djna.tmpdir={layout.tmp}",
        f"-Djava.io.tmpdir={layout.tmp}",
        f"-Duser.home={layout.tmp}",
        "-Duser.name=rankside",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dio.netty.allocator.numDirectArenas=0",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
    ]
