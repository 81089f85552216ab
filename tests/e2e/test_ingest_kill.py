"""`rankside ingest`, killed with SIGKILL in the middle, goes on: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving

ROOT = Path(__file__).parents[2]
DOCUMENTS = 2400
BROKEN = (700, 1900)  # lines that are no JSON
REFUSED = (400, 1500, 2300)  # documents whose number is none
GOOD = DOCUMENTS - len(BROKEN) - len(REFUSED)


@pytest.fixture(scope="module")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), minilm)) as url:
        yield url


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ["shard", "query", "vector", "rescore", "window", "token", "prompt", "cosine"]
    choice = random.Random(7)
    lines = []
    for number in range(DOCUMENTS):
        text = " ".join(choice.choices(words, k=4))
        value = "none" if number in REFUSED else number
        document = {"_id": f"doc-{number}", "title": str(number), "text": text, "number": value}
        line = json.dumps(document)
        lines.append(line[: len(line) // 2] if number in BROKEN else line)
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(params=["opensearch", "elasticsearch"])
def engine(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    url = request.getfixturevalue(f"{request.param}_url")
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def index(engine: httpx.Client) -> Iterator[str]:
    name = f"test-kill-{uuid4().hex[:10]}"
    yield name
    engine.delete(f"/{name}")


def read_so_far(checkpoint: Path) -> int:
    """What the checkpoint says is dealt with; it is replaced whole, so it can always be read."""
    if not checkpoint.exists():
        return 0
    return int(json.loads(checkpoint.read_text("utf-8"))["counts"]["read"])


def kill_at(command: list[str], environment: dict[str, str], checkpoint: Path, read: int) -> int:
    """Start the command, kill it once ``read`` records are dealt with; what it had dealt with."""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        deadline = time.monotonic() + 400
        while read_so_far(checkpoint) < read:
            if running.poll() is not None or time.monotonic() > deadline:
                running.kill()
                raise AssertionError(running.communicate())
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
    assert running.returncode == -signal.SIGKILL
    return read_so_far(checkpoint)


def stored(engine: httpx.Client, index: str) -> dict[str, dict[str, Any]]:
    """Every document by its id, with its version."""
    engine.post(f"/{index}/_refresh").raise_for_status()
    body = {
        "size": 10_000,
        "version": True,
        "_source": ["number", "rankside_hash"],
        "query": {"exists": {"field": "rankside_vector"}},
    }
    hits = engine.post(f"/{index}/_search", json=body).raise_for_status().json()["hits"]["hits"]
    return {hit["_id"]: hit for hit in hits}


def test_a_killed_ingest_goes_on_with_nothing_lost_and_nothing_doubled(
    engine: httpx.Client, index: str, corpus: Path, sidecar_url: str, tmp_path: Path
) -> None:
    checkpoint, dead = tmp_path / "checkpoint.json", tmp_path / "dead.jsonl"
    command = [sys.executable, "-m", "rankside", "ingest", str(corpus), "--index", index]
    command += ["--url", str(engine.base_url), "--sidecar", sidecar_url, "--bulk-docs", "100"]
    command += ["--checkpoint", str(checkpoint), "--dead-letter", str(dead), "--json"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    half = kill_at(command, environment, checkpoint, DOCUMENTS // 2)
    after_half = len(stored(engine, index))
    most = kill_at(command, environment, checkpoint, DOCUMENTS * 3 // 4)
    last = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)

    assert last.returncode == 5, last.stderr  # the broken and the refused are dead letters
    report = json.loads(last.stdout)
    assert DOCUMENTS // 2 <= half < most < DOCUMENTS
    # What is acknowledged behind the checkpoint is written again: a few requests, not more.
    assert half - len(BROKEN) - len(REFUSED) <= after_half <= half + 1000
    assert report["resumed_at"] == most
    assert report["read"] == DOCUMENTS
    assert (report["indexed"], report["rejected"], report["skipped"]) == (GOOD, 5, 0)
    assert report["embedded"] == GOOD + len(REFUSED)  # the engine saw them with their vectors
    assert report["dead_letter"] == str(dead)
    assert report["checkpoint"] is None
    assert not checkpoint.exists()

    found = stored(engine, index)
    expected = set(range(DOCUMENTS)) - set(BROKEN) - set(REFUSED)
    assert set(found) == {f"doc-{number}" for number in expected}
    assert all(hit["_source"]["number"] == int(id_[4:]) for id_, hit in found.items())
    counted = engine.get(f"/{index}/_count").json()["count"]
    assert counted == GOOD
    twice = [id_ for id_, hit in found.items() if hit["_version"] > 1]
    assert len(twice) <= 2000

    letters = [json.loads(line) for line in dead.read_text("utf-8").splitlines()]
    lines = sorted(letter["line"] for letter in letters)
    assert lines == sorted(number + 1 for number in (*BROKEN, *REFUSED))
