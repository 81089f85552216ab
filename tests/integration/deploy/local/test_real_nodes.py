"""The life of real nodes: fetched, started, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import local
from deploy.local import EngineName, RunningNode

INSTANCE = "test-life"
ENGINES: list[EngineName] = ["opensearch", "elasticsearch"]
REPOSITORY = Path(__file__).parents[4]


def call(node: RunningNode, method: str, path: str, body: object = None) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{node.url}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def user_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[EngineName]:
    """Each engine in turn, with nothing of an earlier run, and nothing left running."""
    name: EngineName = request.param
    local.up(name, instance=INSTANCE, heap="512m", fresh=True)
    yield name
    local.down(name, INSTANCE)


@pytest.fixture
def node(engine: EngineName) -> RunningNode:
    return local.up(engine, instance=INSTANCE, heap="512m")


def test_it_is_green_and_says_its_version(node: RunningNode) -> None:
    assert call(node, "GET", "_cluster/health")["status"] == "green"
    assert call(node, "GET", "")["version"]["number"] == node.version


def test_it_does_not_run_as_root(node: RunningNode) -> None:
    assert user_of(node.pid) != 0


def test_up_again_is_the_same_process(node: RunningNode, engine: EngineName) -> None:
    assert local.up(engine, instance=INSTANCE) == node == local.status(engine, INSTANCE)


def test_callers_in_other_processes_find_it_too(node: RunningNode, engine: EngineName) -> None:
    code = f"from deploy import local; print(local.up({engine!r}, instance={INSTANCE!r}).url)"
    callers = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        for _ in range(2)
    ]
    assert {caller.communicate()[0] for caller in callers} == {f"{node.url}\n"}


def test_it_searches_text_and_vectors(node: RunningNode) -> None:
    vector = {"type": "dense_vector", "dims": 2, "similarity": "cosine"}
    settings: dict[str, object] = {"number_of_shards": 1, "number_of_replicas": 0}
    if node.engine == "opensearch":
        method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
        vector = {"type": "knn_vector", "dimension": 2, "method": method}
        settings["index.knn"] = True
    mappings = {"properties": {"text": {"type": "text"}, "vector": vector}}
    call(node, "PUT", "fruit", {"settings": settings, "mappings": mappings})
    call(node, "PUT", "fruit/_doc/1?refresh=true", {"text": "red apple", "vector": [1, 0]})
    call(node, "PUT", "fruit/_doc/2?refresh=true", {"text": "green pear", "vector": [0, 1]})
    near = {"vector": [0.1, 1.0], "k": 1}
    query: dict[str, object] = {"knn": {"vector": near}}
    if node.engine == "elasticsearch":
        query = {"knn": {"field": "vector", "query_vector": near["vector"], "k": 1}}
    for asked, expected in (({"match": {"text": "apple"}}, "1"), (query, "2")):
        hits = call(node, "POST", "fruit/_search", {"query": asked, "size": 1})["hits"]["hits"]
        assert [hit["_id"] for hit in hits] == [expected]
    call(node, "DELETE", "fruit")


def test_after_kill_9_it_starts_again_where_it_was_with_its_data(
    node: RunningNode, engine: EngineName
) -> None:
    # One replica that can never be placed: the node stays yellow, and that must not stop it.
    call(node, "PUT", "kept", {"settings": {"number_of_replicas": 1}})
    call(node, "PUT", "kept/_doc/1?refresh=true", {"a": 1})
    os.kill(node.pid, signal.SIGKILL)
    while local.status(engine, INSTANCE) is not None:
        time.sleep(0.05)
    again = local.up(engine, instance=INSTANCE, heap="512m")
    assert again.pid != node.pid
    assert again.url == node.url
    assert call(again, "GET", "kept/_count")["count"] == 1
    call(again, "DELETE", "kept")


def test_down_twice_and_fresh_is_empty(node: RunningNode, engine: EngineName) -> None:
    call(node, "PUT", "dropped")
    assert local.down(engine, INSTANCE)
    assert not local.down(engine, INSTANCE)
    assert local.status(engine, INSTANCE) is None
    again = local.up(engine, instance=INSTANCE, heap="512m", fresh=True)
    assert "dropped" not in call(again, "GET", "_cluster/state/metadata")["metadata"]["indices"]
