"""A second server, asked where the first fails or is slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from plugin.models.chat.around import AroundLLM
from plugin.models.llm import LLM, Completion
from plugin.ranking.errors import DeadlineExceeded, ModelError, Overloaded
from plugin.ranking.llm_prompt import ChatMessage

_FAILURES = (ModelError, Overloaded, DeadlineExceeded)


class HedgedLLM(AroundLLM):
    """Asks ``second`` too when ``first`` has failed, or has not answered after ``after`` seconds.

    The first whole answer is taken and the other call ended; an answer that is cut only
    where there is no other.
    """

    def __init__(self, first: LLM, second: LLM, after: float) -> None:
        super().__init__(first)
        self._second = second
        self._after = after

    async def close(self) -> None:
        await super().close()
        await self._second.close()

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """As the LLMs; where both fail, as the first one failed."""
        give_up = time.monotonic() + timeout
        first = asyncio.create_task(
            self._llm.complete(messages, timeout=timeout, passages=passages)
        )
        calls = [first]
        try:
            await asyncio.wait(calls, timeout=self._after)
            if _whole(first):
                return first.result()
            left = max(0.001, give_up - time.monotonic())
            calls.append(
                asyncio.create_task(
                    self._second.complete(messages, timeout=left, passages=passages)
                )
            )
            pending = set(calls)
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for call in done:
                    if _whole(call):
                        return call.result()
            return _best(calls)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)


def _whole(call: asyncio.Task[Completion]) -> bool:
    return call.done() and not _failed(call) and not call.result().cut


def _failed(call: asyncio.Task[Completion]) -> bool:
    return isinstance(call.exception(), _FAILURES)


def _best(calls: Sequence[asyncio.Task[Completion]]) -> Completion:
    """The longest answer there is; the first one's error where there is none."""
    answers = [call.result() for call in calls if not _failed(call)]
    return max(answers, key=lambda answer: len(answer.text)) if answers else calls[0].result()
