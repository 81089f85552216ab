"""A node is restarted under searches and documents that wait for its sidecar, on either engine.

Searches may break off, and are never answered with another order; documents that the node has
acknowledged are there afterwards, with their vectors.
"""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.meta import document_text
from plugin.ranking.prompts import document_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.articles import article_documents
from tests.doubles import PROFILE, Gate, WordEncoder
from tests.integration.plugin.embedding import META, IndexWriter
from tests.integration.plugin.failing import Searches, await_true
from tests.nodes import Restartable
from tests.serving import serving

USERS = 4
WRITERS = 2
REQUEST = 20  # documents
PAUSE = 0.1  # seconds between a user's requests; a node that is away refuses them at once
MOST = 100_000
"""Documents that are written at the most, and that a search of the index is to find."""

Order = tuple[str, list[str]]


@dataclass(frozen=True)
class Connected:
    """What a user has of the node."""

    searches: Searches
    writer: IndexWriter


Connect = Callable[[], AbstractContextManager[Connected]]
"""A client of its own, which takes an error for an answer."""


class Users:
    """Search and write, again and again, whatever becomes of the node."""

    def __init__(self, connect: Connect, no_answer: tuple[type[Exception], ...]) -> None:
        self.orders: list[Order] = []
        self.acknowledged: set[str] = set()
        self.reported: dict[str, dict[str, Any]] = {}
        self.broken: list[Exception] = []
        self._connect = connect
        self._no_answer = no_answer
        self._ended = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends."""
        work = [self._search] * USERS + [self._write] * WRITERS
        threads = [threading.Thread(target=self._repeat, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _repeat(self, work: Callable[[Connected, str], None]) -> None:
        name = threading.current_thread().name
        with self._connect() as connected:
            for number in itertools.count():
                if self._ended.wait(PAUSE):
                    return
                try:
                    work(connected, f"{name}-{number}")
                except self._no_answer as error:
                    self.broken.append(error)

    def _search(self, connected: Connected, _: str) -> None:
        answer = connected.searches.reranked()
        self.orders.append((answer.said["status"], answer.ids))

    def _write(self, connected: Connected, name: str) -> None:
        documents = {f"{name}-{one}": {"text": f"{name} shard {one}"} for one in range(REQUEST)}
        items = connected.writer.bulk(documents, refresh=False)
        failed = {id_: item for id_, item in items.items() if "error" in item}
        self.reported.update(failed)
        self.acknowledged.update(items.keys() - failed.keys())


@contextmanager
def word_sidecar(encoder: WordEncoder) -> Iterator[str]:
    """The address of a real sidecar whose encoder is cheap, and in the test's hand."""
    with serving(create_app(SidecarOptions(), encoder)) as url:
        yield url


def word_vectors() -> dict[str, npt.NDArray[np.float32]]:
    """The vector of every article by that encoder."""
    texts = {
        id_: document_text(source, META.text_fields) for id_, source in article_documents().items()
    }
    inputs = [document_input(PROFILE, text) for text in texts.values()]
    return dict(zip(texts, WordEncoder().encode(inputs).vectors, strict=True))


def assert_restarts_are_survived(
    node: Restartable,
    encoder: WordEncoder,
    connect: Connect,
    no_answer: tuple[type[Exception], ...],
) -> None:
    """Of a node with an index to search and one to write to, and a sidecar with ``encoder``.

    ``no_answer`` is what a client raises that has none, or an error for one.
    """
    with connect() as own:
        plain = ("passed_through", own.searches.plain().ids)
        reranked = ("reranked", _reranked(own))
        assert plain[1] != reranked[1]
    users = Users(connect, no_answer)
    with users.at_work():
        for how in (signal.SIGKILL, signal.SIGTERM):
            _await_more(users)
            gate = Gate()
            encoder.before = gate
            try:
                _await_under_way(connect)
                node.signal(how)
            finally:
                encoder.before = lambda _: None
                gate.open()  # what was asked is answered while the node goes down
            node.start()
            with connect() as own:
                assert _reranked(own) == reranked[1]
        _await_more(users)

    assert users.broken  # or nothing was under way
    assert [error for error in users.broken if not _is_the_servers(error)] == []
    assert [order for order in users.orders if order not in (plain, reranked)] == []
    assert {item["status"] for item in users.reported.values()} <= {429, 500, 502, 503, 504}
    with connect() as own:
        embedded = own.writer.embedded(MOST)
        assert users.acknowledged - embedded == set()
        assert own.writer.ids(size=MOST) - embedded == set()


def _reranked(own: Connected) -> list[str]:
    answer = own.searches.reranked()
    assert answer.said["status"] == "reranked"
    return answer.ids


def _await_more(users: Users) -> None:
    """Return once searches are reranked and documents acknowledged that were not before."""
    orders, acknowledged = len(users.orders), len(users.acknowledged)
    await_true(lambda: any(status == "reranked" for status, _ in users.orders[orders:]))
    await_true(lambda: len(users.acknowledged) > acknowledged)


def _await_under_way(connect: Connect) -> None:
    """Return once every user waits for the sidecar, and a writer does."""

    def under_way() -> bool:
        stats = own.searches.stats()
        return bool(stats["in_flight"] == USERS and stats["documents"]["in_flight"] > 0)

    with connect() as own:
        await_true(under_way)


def _is_the_servers(error: Exception) -> bool:
    """Whether a client was cut off or refused, and had done nothing wrong."""
    status = getattr(error, "status_code", None)
    return not isinstance(status, int) or status >= 429
