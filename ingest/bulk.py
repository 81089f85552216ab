"""Bulk writes: limited by count and bytes, tried again where that helps, judged item by item.

Sources: both engines' pages on the bulk API; which items are worth another attempt follows
elasticsearch-py's helpers (429), and 503, which the engines give while a shard has no primary.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.engine import BulkItem, Engine
from ingest.retry import Backoff
from plugin.ranking.errors import EngineRejected, EngineUnavailable, RanksideError

_RETRIED_ITEMS = frozenset({429, 503})
_HOPELESS_ITEMS = frozenset({401, 403})
_MALFORMED = frozenset({400, 413})
# Enough for the engines; more would keep the event loop from the embedding while it is encoded.
BULK_BYTES = 1_000_000
_COMPONENT_BYTES = 20  # "-1234567890000000.0," is the longest that nine digits get


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """One operation: its action line, its document if any, and whose it is.

    ``size`` is at least the bytes of its lines on the wire.
    """

    action: Mapping[str, Any]
    document: Mapping[str, Any] | None
    size: int
    owner: Any = None


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """Limits of one request, and seconds without progress until giving up."""

    docs: int = 500
    bytes: int = BULK_BYTES
    patience: float = 120.0


def write(
    action: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    owner: Any = None,
    vector: tuple[str, npt.NDArray[np.float32]] | None = None,
) -> Write:
    """The operation with ``vector`` (field name and components) put into the document."""
    size = len(json.dumps(action)) + len(json.dumps(document)) + 2
    if vector is None:
        return Write(action, document, size, owner)
    name, components = vector
    size += len(json.dumps(name)) + 3 + _COMPONENT_BYTES * len(components)
    return Write(action, {**document, name: components_of(components)}, size, owner)


def components_of(vector: npt.NDArray[np.float32]) -> list[float]:
    """A vector for JSON: nine digits are all that a float32 has, and half of what a double has."""
    return [float(f"{component:.9g}") for component in vector.tolist()]


class Chunks:
    """Collects writes into requests of at most ``docs`` writes and ``bytes`` bytes.

    A write larger than ``bytes`` is a request of its own.
    """

    def __init__(self, options: BulkOptions) -> None:
        self._options = options
        self._writes: list[Write] = []
        self._bytes = 0

    def add(self, writes: Iterable[Write]) -> Iterator[list[Write]]:
        """Take ``writes``; yields every request that became full."""
        for one in writes:
            if self._writes and self._bytes + one.size > self._options.bytes:
                yield self.rest()
            self._writes.append(one)
            self._bytes += one.size
            if len(self._writes) >= self._options.docs:
                yield self.rest()

    def rest(self) -> list[Write]:
        """What is collected, perhaps nothing; collecting begins anew."""
        writes, self._writes, self._bytes = self._writes, [], 0
        return writes


Judged = tuple[Write, BulkItem]


class BulkWriter:
    """Sends requests to ``index`` until every item is written or refused for good.

    ``retried`` hears how many operations were sent again.
    """

    def __init__(
        self,
        engine: Engine,
        index: str,
        options: BulkOptions,
        retried: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._index = index
        self._options = options
        self._retried = retried

    async def send(self, writes: Sequence[Write]) -> list[Judged]:
        """Every write with its last item: written, or refused (its ``error`` says why).

        A request that the engine cannot take as a whole is halved until the culprit stands alone.

        Raises:
            EngineUnavailable: nobody answered for as long as patience lasts.
            EngineRejected: it refused for as long as patience lasts, or will not take writes of
                ours at all.
        """
        judged: list[Judged] = []
        backoff, pending = Backoff(self._options.patience), list(writes)
        while pending:
            try:
                answered = await self._request(pending)
            except RanksideError as error:
                await backoff.pause(error)
                self._retried(len(pending))
                continue
            pending = [one for one, item in answered if item.status in _RETRIED_ITEMS]
            judged += [pair for pair in answered if pair[1].status not in _RETRIED_ITEMS]
            if len(pending) < len(answered):
                backoff.progressed()
            if pending:
                await backoff.pause(_refused(answered, _RETRIED_ITEMS))
                self._retried(len(pending))
        return judged

    async def _request(self, writes: Sequence[Write]) -> list[Judged]:
        try:
            outcome = await self._engine.bulk(self._index, list(_lines(writes)))
        except EngineRejected as error:
            if error.status not in _MALFORMED:
                raise
            return await self._halved(writes, error)
        if len(outcome.items) != len(writes):
            raise EngineUnavailable(
                f"the engine answered for {len(outcome.items)} of {len(writes)} operations; check "
                "what stands between it and us"
            )
        judged = list(zip(writes, outcome.items, strict=True))
        if any(_hopeless(item) for item in outcome.items):
            raise _refused(judged, None)
        return judged

    async def _halved(self, writes: Sequence[Write], error: EngineRejected) -> list[Judged]:
        if len(writes) == 1:
            ((action, address),) = writes[0].action.items()
            item = BulkItem(action, address.get("_id", ""), error.status, str(error))
            return [(writes[0], item)]
        middle = len(writes) // 2
        return await self._request(writes[:middle]) + await self._request(writes[middle:])


def _lines(writes: Sequence[Write]) -> Iterator[Mapping[str, Any]]:
    for one in writes:
        yield one.action
        if one.document is not None:
            yield one.document


def _hopeless(item: BulkItem) -> bool:
    """Whether this refusal is of the index or of us, not of the document."""
    missing = (item.error or "").startswith("index_not_found_exception")
    return missing or item.status in _HOPELESS_ITEMS


def _refused(judged: Sequence[Judged], statuses: frozenset[int] | None) -> EngineRejected:
    """The error for items that were refused with one of ``statuses``, or without hope."""
    items = [
        item
        for _, item in judged
        if (_hopeless(item) if statuses is None else item.status in statuses)
    ]
    return EngineRejected(
        f"the engine refuses writes ({len(items)} in this request): {items[0].error}; see its "
        "disk, queue and index blocks",
        status=items[0].status,
    )
