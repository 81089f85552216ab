"""A bulk load through the ingest processor while its sidecar is restarted: nothing is lost."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from evaluation.local_sidecar import free_port, wait_until_ready
from tests.integration.plugin.embedding import IndexWriter, documents, is_embedded

DOCUMENTS = 20_000
REQUEST = 250
WRITERS = 2
PAUSE = 1.0
"""Seconds a writer waits after a request of which something was refused, as bulk clients do."""

Document = dict[str, Any]
Connect = Callable[[], AbstractContextManager[IndexWriter]]
"""A writer with a connection of its own, which takes an error for an answer."""


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


@contextmanager
def running(log: Path) -> Iterator[Process]:
    """A sidecar that is killed in the end."""
    process = Process(log)
    process.start()
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


class Load:
    """Writes documents by several threads; knows of each what the engine said."""

    def __init__(self, connect: Connect) -> None:
        self.reported: dict[str, Document] = {}
        self.written: set[str] = set()
        self.refused = threading.Event()
        self.progress = threading.Semaphore(0)
        self.errors: list[BaseException] = []
        self._connect = connect

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
        with self._connect() as writer:
            while not requests.empty():
                try:
                    self._settle(writer.bulk(requests.get_nowait(), refresh=False))
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


def assert_nothing_is_lost(writer: IndexWriter, connect: Connect, sidecar: Process) -> None:
    """Load documents while the sidecar is restarted twice: each is embedded, or reported.

    The index is to let a search find all of them.
    """
    given = documents(DOCUMENTS)
    load = Load(connect)
    threads = load.run(given)
    restart(load, sidecar, signal.SIGKILL)
    restart(load, sidecar, signal.SIGTERM)
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    assert load.errors == []

    assert load.written | set(load.reported) == set(given)
    assert not load.written & set(load.reported)
    assert writer.embedded(DOCUMENTS) == load.written == writer.ids(size=DOCUMENTS)
    assert {item["status"] for item in load.reported.values()} <= {502, 503, 504}

    left = set(load.reported)
    for _ in range(10):  # the circuit may be open a little longer than the sidecar is away
        again = Load(connect)
        for thread in again.run({id_: given[id_] for id_ in left}):
            thread.join(timeout=120)
        left = set(again.reported)
        if not left:
            break
    assert left == set()
    assert writer.embedded(DOCUMENTS) == set(given)
    assert all(is_embedded(writer.source(str(number))) for number in range(0, DOCUMENTS, 199))


def restart(load: Load, sidecar: Process, how: signal.Signals) -> None:
    """End the sidecar while requests are under way, and start it once documents were refused."""
    load.progress = threading.Semaphore(0)
    for _ in range(15):
        assert load.progress.acquire(timeout=60)
    load.refused.clear()
    sidecar.end(how)
    assert load.refused.wait(timeout=60)
    sidecar.start()
