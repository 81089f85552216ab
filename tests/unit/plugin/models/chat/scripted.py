"""An LLM in this process that answers, fails or waits as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from plugin.models.llm import Completion
from plugin.ranking.errors import DeadlineExceeded
from plugin.ranking.llm_prompt import ChatMessage

TURNS = [ChatMessage("system", "Rank."), ChatMessage("user", "[1] a\n[2] b")]
WHOLE = Completion("[2] > [1]", 21, 7)


class ScriptedLLM:
    """Answers with ``answers`` in turn, then with the last of them, each once ``open`` is set."""

    def __init__(self, *answers: Completion | Exception, name: str = "scripted") -> None:
        self.name = name
        self.tokenizer = None
        self.answers = list(answers) or [WHOLE]
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0
        self._calls = asyncio.Semaphore(0)
        self.cancelled = 0
        self.closed = False

    async def complete(
        self, _messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        del passages
        self.asked += 1
        self._calls.release()
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        try:
            async with asyncio.timeout(timeout):
                await self.open.wait()
        except TimeoutError as error:
            raise DeadlineExceeded("late") from error
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def next_call(self) -> None:
        """Wait for the next call; each is waited for once."""
        await self._calls.acquire()

    async def close(self) -> None:
        self.closed = True


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
