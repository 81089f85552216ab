"""The zip, and the checks that the engine's own tool would make of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connectors.meta import IndexMeta
from deploy import local
from deploy.local import Distribution, RunningNode
from deploy.local.places import cache_root
from deploy.local.toolchain import find_jdk
from deploy.local.variant import PluginZip
from plugin.ranking.errors import LocalEngineError
from tests.nodes import own_node

from .conftest import HEAP, URL, Vectors, client_of, index_articles
from .searching import STANDARD, reranked, search


@pytest.fixture(scope="module")
def distribution() -> Distribution:
    """Elasticsearch as it is without the plugin."""
    engine = local.ENGINES["elasticsearch"]
    return local.assemble(engine, cache_root(), find_jdk(engine.recipe.java))


@pytest.fixture
def home(distribution: Distribution, tmp_path: Path) -> Path:
    """A home of the engine with the same jars, whose plugins are the test's own."""
    for name in ("lib", "modules"):
        (tmp_path / name).symlink_to(distribution.home / name)
    (tmp_path / "plugins").mkdir()
    return tmp_path


def changed(zipped: Path, to: Path, name: str, old: bytes, new: bytes) -> Path:
    """A copy of the zip with other words in one of its files, or a file that it has not."""
    with zipfile.ZipFile(zipped) as archive, zipfile.ZipFile(to, "w") as copy:
        content = {one: archive.read(one) for one in archive.namelist()}
        content[name] = content[name].replace(old, new) if name in content else new
        for one, written in content.items():
            copy.writestr(one, written)
    return to


def test_a_plugin_that_passes_is_where_the_server_looks(
    distribution: Distribution, home: Path, plugin_zip: Path
) -> None:
    distribution.engine.install(home, distribution.jdk, plugin_zip)
    with zipfile.ZipFile(plugin_zip) as archive:
        names = sorted(archive.namelist())
    assert sorted(file.name for file in (home / "plugins" / "rankside").iterdir()) == names


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        (
            "plugin-descriptor.properties",
            b"elasticsearch.version=9.5.3",
            b"elasticsearch.version=9.1.0",
            r"was built for Elasticsearch version 9\.1\.0 but version 9\.5\.3 is running",
        ),
        ("plugin-descriptor.properties", b"classname", b"class", r"property \[classname\] is miss"),
        ("entitlement-policy.yaml", b"outbound_network", b"everything", r"everything"),
    ],
)
def test_what_the_engine_would_refuse_is_not_put_there(
    distribution: Distribution,
    home: Path,
    plugin_zip: Path,
    *,
    name: str,
    old: bytes,
    new: bytes,
    why: str,
) -> None:
    other = changed(plugin_zip, home / "other.zip", name, old, new)
    with pytest.raises(LocalEngineError, match=rf"would refuse .*other\.zip, so correct.*{why}"):
        distribution.engine.install(home, distribution.jdk, other)
    assert list((home / "plugins").iterdir()) == []


POLICY = "entitlement-policy.yaml"


@pytest.mark.parametrize("line", [b"ALL-UNNAMED:\n", b"  - outbound_network\n"])
def test_half_a_policy_is_not_put_there(
    distribution: Distribution, home: Path, plugin_zip: Path, line: bytes
) -> None:
    """It has two lines, and neither is one without the other."""
    with zipfile.ZipFile(plugin_zip) as archive:
        assert line in archive.read(POLICY)
    other = changed(plugin_zip, home / "other.zip", POLICY, line, b"")
    with pytest.raises(LocalEngineError, match=r"would refuse .*other\.zip, so correct"):
        distribution.engine.install(home, distribution.jdk, other)


def test_without_its_policy_every_search_is_passed_through(
    plugin_zip: Path, sidecar: str, meta: IndexMeta, vectors: Vectors, tmp_path: Path
) -> None:
    with zipfile.ZipFile(plugin_zip) as archive:
        policy = archive.read(POLICY)
    other = changed(plugin_zip, tmp_path / "other.zip", POLICY, policy, b"{}\n")
    settings = {URL: [sidecar]}
    with (
        own_node("elasticsearch", plugin=other, heap=HEAP, settings=settings) as node,
        client_of(node) as client,
    ):
        index = index_articles(client, "articles", 1, meta, vectors).index
        answer = search(client, index, reranked())
        assert (answer.said["status"], answer.said["reason"]) == (
            "passed_through",
            "sidecar_unavailable",
        )
        assert answer.hits == search(client, index, STANDARD).hits
        assert "NotEntitledException" in node.log.read_text("utf-8")


def test_a_class_of_the_engines_own_is_jar_hell(
    distribution: Distribution, home: Path, plugin_zip: Path
) -> None:
    jar = next((distribution.home / "lib").glob("lucene-core-*.jar")).read_bytes()
    other = changed(plugin_zip, home / "other.zip", "lucene-mine.jar", b"", jar)
    with pytest.raises(LocalEngineError, match=r"jar hell"):
        distribution.engine.install(home, distribution.jdk, other)


def test_a_node_without_the_plugin_gets_neither_it_nor_its_settings(
    distribution: Distribution, plugin_node: RunningNode
) -> None:
    assert plugin_node.plugin is not None
    assert list((distribution.home / "plugins").iterdir()) == []
    with (
        pytest.raises(LocalEngineError, match=r"unknown secure setting \[rankside\.sidecar\.api_k"),
        own_node("elasticsearch", heap=HEAP, secrets={"rankside.sidecar.api_key": "secret"}),
    ):
        pass


def test_the_command_starts_a_node_with_the_plugin_of_the_checkout(plugin_zip: Path) -> None:
    words = ["--engine", "elasticsearch", "--instance", f"tests-command-{os.getpid()}", "--json"]
    home = None
    try:
        up = run_engine("up", *words, "--plugin", "--heap", HEAP)
        home = Path(up["home"])
        assert up["plugin"] == PluginZip.read(plugin_zip).label
        with Elasticsearch(up["url"]) as client:
            assert [row["component"] for row in client.cat.plugins(format="json")] == ["rankside"]
    finally:
        run_engine("down", *words)
        if home is not None:
            shutil.rmtree(home)


def run_engine(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "rankside", "engine", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))
