"""A bulk load through the ingest processor while its sidecar is restarted: nothing is lost."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from connectors.meta import vector_hash
from deploy.local import RunningNode
from evaluation.local_sidecar import free_port, wait_until_ready

from .writing import META, Writer, is_embedded

DOCUMENTS = 20_000
REQUEST = 250
WRITERS = 2
PAUSE = 1.0
"""Seconds a writer waits after a request of which something was refused, as bulk clients do."""

Document = dict[str, Any]


class Process:
    """A sidecar in a process of its own, always at the same port."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and come back once it is ready."""
        command = [sys.executable, "-m", "tests.word_sidecar", str(self.port)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self._process = process
        wait_until_ready(self.url, self._log, runs=lambda: process.poll() is None)

    def end(self, how: signal.Signals) -> None:
        """End it; it is gone afterwards."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=60)


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "sidecar.log")
    process.start()
    yield process
    process.end(signal.SIGKILL)


class Load:
    """Writes documents by several threads; knows of each what the engine said."""

    def __init__(self, url: str, index: str) -> None:
        self.reported: dict[str, Document] = {}
        self.written: set[str] = set()
        self.refused = threading.Event()
        self.progress = threading.Semaphore(0)
        self.errors: list[BaseException] = []
        self._url = url
        self._index = index

    def run(self, documents: dict[str, Document]) -> list[threading.Thread]:
        """Start writing, requests in order."""
        requests: queue.SimpleQueue[dict[str, Document]] = queue.SimpleQueue()
        ids = list(documents)
        for start in range(0, len(ids), REQUEST):
            requests.put({id_: documents[id_] for id_ in ids[start : start + REQUEST]})
        threads = [threading.Thread(target=self._work, args=(requests,)) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        return threads

    def _work(self, requests: queue.SimpleQueue[dict[str, Document]]) -> None:
        with OpenSearch(self._url, timeout=120, max_retries=0) as client:
            while not requests.empty():
                try:
                    request = requests.get_nowait()
                    self._settle(Writer(client, self._index).bulk(request, refresh=False))
                except queue.Empty:
                    return
                except BaseException as error:
                    self.errors.append(error)
                    raise

    def _settle(self, items: dict[str, Document]) -> None:
        failed = {id_: item for id_, item in items.items() if "error" in item}
        self.reported.update(failed)
        self.written.update(items.keys() - failed.keys())
        if failed:
            self.refused.set()
            time.sleep(PAUSE)
        else:
            self.progress.release()


def restart(load: Load, sidecar: Process, how: signal.Signals) -> None:
    """End the sidecar while requests are under way, and start it once documents were refused."""
    load.progress = threading.Semaphore(0)
    for _ in range(15):
        assert load.progress.acquire(timeout=60)
    load.refused.clear()
    sidecar.end(how)
    assert load.refused.wait(timeout=60)
    sidecar.start()


def test_every_document_is_embedded_or_reported(
    plugin_node: RunningNode, opensearch: OpenSearch, sidecar: Process
) -> None:
    documents = {
        str(number): {"title": f"Number {number}", "text": f"shard {number % 97} of {number % 89}"}
        for number in range(DOCUMENTS)
    }
    writer = Writer(opensearch, f"test-restarts-{uuid4().hex[:10]}")
    writer.prepare({"url": sidecar.url, "timeout": "20s"})
    opensearch.indices.put_settings(
        index=writer.index, body={"index": {"max_result_window": DOCUMENTS}}
    )
    load = Load(plugin_node.url, writer.index)
    threads = load.run(documents)
    restart(load, sidecar, signal.SIGKILL)
    restart(load, sidecar, signal.SIGTERM)
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    assert load.errors == []

    assert load.written | set(load.reported) == set(documents)
    assert not load.written & set(load.reported)
    assert embedded(writer) == load.written == writer.ids(size=DOCUMENTS)
    assert {item["status"] for item in load.reported.values()} <= {502, 503, 504}

    left = set(load.reported)
    for _ in range(10):  # the circuit may be open a little longer than the sidecar is away
        again = Load(plugin_node.url, writer.index)
        for thread in again.run({id_: documents[id_] for id_ in left}):
            thread.join(timeout=120)
        left = set(again.reported)
        if not left:
            break
    assert left == set()
    assert embedded(writer) == set(documents)
    assert all(is_embedded(writer.source(str(number))) for number in range(0, DOCUMENTS, 199))
    opensearch.indices.delete(index=writer.index)


def embedded(writer: Writer) -> set[str]:
    """Ids of the documents that have a vector and the hash of their own text."""
    writer.client.indices.refresh(index=writer.index)
    body = {
        "query": {"exists": {"field": META.vector_field}},
        "_source": ["title", "text", META.hash_field],
        "size": DOCUMENTS,
    }
    hits = writer.client.search(index=writer.index, body=body)["hits"]["hits"]
    for hit in hits:
        source = hit["_source"]
        expected = vector_hash(META.fingerprint, f"{source['title']}\n{source['text']}")
        assert source[META.hash_field] == expected
    return {hit["_id"] for hit in hits}
