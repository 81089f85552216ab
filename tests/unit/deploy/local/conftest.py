"""An engine that is a few lines of Python, so that every failure can be had on demand."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.distribution import Distribution
from deploy.local.launch import Layout
from deploy.local.opensearch_tools import install_plugin
from deploy.local.recipe import Artifact, Recipe
from deploy.local.toolchain import Jdk

# Reads the configuration as the engines do, then behaves as the word after it says.
SERVER = """
import http.server, json, pathlib, sys
config, behaviour = pathlib.Path(sys.argv[1]), sys.argv[2]
lines = (config / "opensearch.yml").read_text().splitlines()
settings = {key: json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}
starts = config.parent / "data" / "starts"
starts.write_text((starts.read_text() if starts.exists() else "") + "x")
if behaviour == "dies":
    sys.exit("the reason\\n\\tat some.Frame\\n\\tat some.other.Frame")
if behaviour == "port taken once" and starts.read_text() == "x":
    sys.exit("java.net.BindException: Address already in use")
if behaviour == "port always taken":
    sys.exit("java.net.BindException: Address already in use")
health = {"cluster_name": settings["cluster.name"], "status": "green", "settings": settings}
if behaviour == "red":
    health["status"] = "red"
if behaviour == "settled yellow":
    health["status"] = "yellow"
if behaviour == "somebody else":
    health["cluster_name"] = "production"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(health).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", settings["http.port"]), Handler).serve_forever()
"""

RECIPE = Recipe(
    engine="opensearch",
    version="0.1",
    java=21,
    folders=(("lib", (Artifact("g", "server", "1"),)),),
    modules=(),
)


@dataclass(frozen=True)
class FakeEngine:
    behaviour: str = "green"
    recipe: Recipe = RECIPE
    default_heap: str = "1g"
    settings: Mapping[str, object] = field(default_factory=lambda: {"of.the.engine": True})

    def prepare(self) -> None:
        pass

    def finish(self, home: Path, _jdk: Jdk, /) -> None:
        (home / "finished").touch()

    def install(self, home: Path, jdk: Jdk, zipped: Path, /) -> None:
        install_plugin(home, jdk, zipped)  # as OpenSearch does, whose name it has

    def standard_input(self, _distribution: Distribution, _node: Layout, /) -> Path | None:
        return None

    def write_secrets(
        self, _distribution: Distribution, node: Layout, secrets: Mapping[str, str], /
    ) -> None:
        (node.config / "keystore").write_text(json.dumps(secrets))

    def command(self, _distribution: Distribution, node: Layout, _heap: str) -> list[str]:
        return [sys.executable, "-c", SERVER, str(node.config), self.behaviour]


@pytest.fixture
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a developer at home: nothing is handed to another user."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every user may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def jdk(tmp_path: Path) -> Jdk:
    return Jdk(tmp_path / "jdk", 25)
