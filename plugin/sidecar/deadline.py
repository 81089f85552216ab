"""A point in time by which work must be done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from plugin.ranking.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """``at`` is on the clock of ``time.monotonic``, ``given`` the seconds it was set with."""

    at: float
    given: float

    @classmethod
    def after(cls, seconds: float, since: float | None = None) -> Self:
        """The deadline ``seconds`` from ``since``, or from now."""
        return cls((time.monotonic() if since is None else since) + seconds, seconds)

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether it is too late."""
        return self.left == 0

    def error(self) -> DeadlineExceeded:
        """What is raised when it has passed."""
        return DeadlineExceeded(
            f"not done within {self.given * 1000:.0f} ms; allow more time or send less"
        )

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """Cancel the block when the time is up, and raise DeadlineExceeded."""
        try:
            async with asyncio.timeout(self.left):
                yield
        except TimeoutError as error:
            raise self.error() from error
