"""A circuit: a server that failed several times in a row is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from plugin.models.chat.around import AroundLLM
from plugin.models.chat.options import CircuitOptions
from plugin.models.llm import LLM, Completion
from plugin.ranking.errors import (
    CircuitOpen,
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
)
from plugin.ranking.llm_prompt import ChatMessage


class Circuit:
    """Closed until ``failures`` in a row, then open; then one call tries, and the rest do not.

    Libraries of this name let every call through once the time is up, which a server that is
    coming back pays for.
    """

    def __init__(self, options: CircuitOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._failures = 0
        self._closed_at = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether it is, or one call is trying."""
        return self._failures >= self._options.failures

    def enter(self) -> None:
        """Begin a call.

        Raises:
            CircuitOpen: it is not to be made.
        """
        if not self.open:
            return
        left = self._closed_at - self._clock()
        if left > 0 or self._trying:
            raise CircuitOpen(
                f"the LLM server failed {self._failures} times in a row and is left alone for "
                f"{max(left, 0):.0f} s more; see its log"
            )
        self._trying = True

    def succeeded(self) -> None:
        """The server answered."""
        self._failures = 0

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        self._closed_at = self._clock() + self._options.open_for

    def left(self) -> None:
        """End a call, whatever is known of it: the next may try."""
        self._trying = False


class GuardedLLM(AroundLLM):
    """An LLM behind a circuit."""

    def __init__(
        self, llm: LLM, options: CircuitOptions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(llm)
        self.circuit = Circuit(options, clock)

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """As the LLM; also raises CircuitOpen.

        Overload is an answer: it says when to come again, and is no reason to stay away longer.
        """
        self.circuit.enter()
        try:
            completion = await self._llm.complete(messages, timeout=timeout, passages=passages)
        except (ModelUnavailable, ModelOutputError, DeadlineExceeded):
            self.circuit.failed()
            raise
        else:
            self.circuit.succeeded()
            return completion
        finally:
            self.circuit.left()
