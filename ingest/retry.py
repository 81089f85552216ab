"""Trying again: growing pauses, and an end to patience."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from plugin.ranking.errors import (
    EngineRejected,
    EngineUnavailable,
    Overloaded,
    RanksideError,
    SidecarRejected,
    SidecarUnavailable,
)

T = TypeVar("T")

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_FIRST_PAUSE = 0.25  # seconds; doubled at every attempt
_LONGEST_PAUSE = 15.0


def pause_for(error: RanksideError) -> float | None:
    """Seconds that ``error`` asks to wait at least; None where trying again cannot help."""
    if isinstance(error, Overloaded):
        return error.retry_after
    if isinstance(error, EngineRejected | SidecarRejected):
        return 0.0 if error.status in RETRIED_STATUSES else None
    return 0.0 if isinstance(error, EngineUnavailable | SidecarUnavailable) else None


class Backoff:
    """The pauses of one piece of work; ``patience`` is how many seconds without progress it has."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._failures = 0
        self._since = 0.0

    def progressed(self) -> None:
        """Something went well: the pauses begin anew."""
        self._failures = 0

    async def pause(self, error: RanksideError) -> None:
        """Wait before another attempt.

        Raises ``error`` where another attempt cannot help or patience is at its end.
        """
        asked, now = pause_for(error), asyncio.get_running_loop().time()
        if self._failures == 0:
            self._since = now
        # Half to all of it: many writers that were refused together must not come back together.
        grown = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE) * random.uniform(0.5, 1)  # noqa: S311
        self._failures += 1
        if asked is None or now + asked - self._since > self._patience:
            raise error
        await asyncio.sleep(max(asked, grown))


async def patiently(
    call: Callable[[], Awaitable[T]],
    *,
    patience: float,
    retried: Callable[[], None],
) -> T:
    """The answer of ``call``, tried again while its error says that this may help.

    Raises what ``call`` raised last; ``retried`` hears of every attempt that failed before.
    """
    backoff = Backoff(patience)
    while True:
        try:
            return await call()
        except RanksideError as error:
            await backoff.pause(error)
            retried()
