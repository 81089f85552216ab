"""One call while it runs: its deadline, what it took and what it cost."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from plugin.ranking.wire import PromptExplanation, Timings, Usage
from plugin.sidecar.deadline import Deadline

STAGES = ("queue", "tokenize", "encode", "score", "llm")


class Call:
    """Milliseconds by stage since ``began``, counts of what was used, and what an LLM was asked.

    ``began`` is on the clock of ``time.monotonic``; None: now. ``llm_seconds`` is the most that an
    LLM may take.
    """

    def __init__(self, deadline: Deadline, began: float | None = None) -> None:
        self.deadline = deadline
        self.llm_seconds = math.inf
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.documents_encoded = 0
        self.documents_cached = 0
        self.truncated = 0
        self.answers_cached = 0
        self.cost = 0.0
        self.prompts: list[PromptExplanation] = []
        self._start = time.monotonic() if began is None else began
        self._stages = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the block's time to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Add ``seconds`` to a stage."""
        self._stages[name] += seconds * 1000

    def timings(self) -> Timings:
        """The stages so far, as the native calls answer them."""
        total = (time.monotonic() - self._start) * 1000
        stages = {name: round(value, 3) for name, value in self._stages.items()}
        return Timings(**stages, total=round(total, 3))

    def usage(self) -> Usage:
        """The counts so far, as the native calls answer them."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            documents_encoded=self.documents_encoded,
            documents_cached=self.documents_cached,
            truncated=self.truncated,
            answers_cached=self.answers_cached,
            cost=self.cost,
        )
