"""The encoder's queue: jobs of one or many texts, taken in turns.

A job is what one call wants embedded. Each job gives one text per turn, so that a search that
arrives behind a bulk job is in the very next batch, and a bulk job fills what is left of it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.models.encoder import Encoded
from plugin.ranking.errors import ModelOutputError, RanksideError
from plugin.ranking.hits import Vector
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.deadline import Deadline

_FIRST_BUDGET = 2048  # until batches have been timed
_LEAST_BUDGET = 256  # one text of a small model; below it a batch is mostly overhead


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A job's vectors in the order of its inputs, and the seconds it waited and ran.

    ``vectors`` is float32 (n, dimensions).
    """

    vectors: npt.NDArray[np.float32]
    tokens: tuple[int, ...]
    truncated: tuple[bool, ...]
    queued: float
    running: float


class Job:
    """One call's texts, their estimated ``costs`` in tokens, and the future that gets the answer.

    Made on the event loop; ``take``, ``deliver`` and ``fail`` are called by the worker's thread.
    """

    def __init__(
        self, inputs: Sequence[EncoderInput], costs: Sequence[int], deadline: Deadline
    ) -> None:
        self.inputs = tuple(inputs)
        self.costs = tuple(costs)
        self.deadline = deadline
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Embedded] = self._loop.create_future()
        self._queued_at = time.perf_counter()
        self._taken_at: float | None = None
        self._taken = 0
        self._rows: dict[int, tuple[Vector, int, bool]] = {}
        self._over = False

    @property
    def over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._over or self.answer.done()

    @property
    def exhausted(self) -> bool:
        """Whether every text has been taken."""
        return self._taken == len(self.inputs)

    @property
    def next_cost(self) -> int:
        """Estimated tokens of the text that ``take`` gives next."""
        return self.costs[self._taken]

    @property
    def waiting_cost(self) -> int:
        """Estimated tokens of the texts not taken yet."""
        return sum(self.costs[self._taken :])

    def take(self) -> Slot:
        """The next text."""
        if self._taken_at is None:
            self._taken_at = time.perf_counter()
        slot = Slot(self, self._taken)
        self._taken += 1
        return slot

    def deliver(self, place: int, vector: Vector, tokens: int, *, truncated: bool) -> None:
        """Keep one text's result; the last one answers the job."""
        self._rows[place] = (vector, tokens, truncated)
        if len(self._rows) == len(self.inputs):
            self._finish(self._embedded())

    def fail(self, error: RanksideError) -> None:
        """Answer the job with an error, whatever of it is still queued."""
        self._over = True
        self._call(lambda: None if self.answer.done() else self.answer.set_exception(error))

    def _embedded(self) -> Embedded:
        rows = [self._rows[place] for place in range(len(self.inputs))]
        taken_at = self._taken_at or self._queued_at
        return Embedded(
            vectors=np.stack([vector for vector, _, _ in rows]),
            tokens=tuple(tokens for _, tokens, _ in rows),
            truncated=tuple(truncated for _, _, truncated in rows),
            queued=taken_at - self._queued_at,
            running=time.perf_counter() - taken_at,
        )

    def _finish(self, embedded: Embedded) -> None:
        self._call(lambda: None if self.answer.done() else self.answer.set_result(embedded))

    def _call(self, answer: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(answer)
        except RuntimeError:  # the loop is closed: nobody is there to be answered
            self._over = True


@dataclass(frozen=True, slots=True)
class Slot:
    """One text of a job, by its place."""

    job: Job
    place: int

    @property
    def input(self) -> EncoderInput:
        """The text."""
        return self.job.inputs[self.place]

    @property
    def cost(self) -> int:
        """Its estimated tokens."""
        return self.job.costs[self.place]


class Budget:
    """Tokens of the next batch: as many as run in ``seconds``, by what full batches took.

    So a search beside bulk work waits for one short batch, on a laptop as on a GPU.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self.tokens = min(limit, _FIRST_BUDGET)

    def learn(self, tokens: int, seconds: float) -> None:
        """Learn from a batch of ``tokens`` that took ``seconds``.

        A slow batch halves the budget at most, so that one pause of the machine under a batch of
        few tokens does not undo what full batches showed; a quick one that filled half of it or
        more doubles it.
        """
        if seconds > self._seconds:
            fits = int(tokens * self._seconds / seconds)
            self.tokens = max(_LEAST_BUDGET, self.tokens // 2, min(fits, self.tokens))
        elif tokens > self.tokens / 2:
            self.tokens *= 2
        self.tokens = min(self.tokens, self._limit)


class JobQueue:
    """Jobs that wait, safe between the event loop and the worker's thread."""

    def __init__(self, budget: Budget, batch_wait: float) -> None:
        self._budget = budget
        self._wait = batch_wait
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job: Job, *, urgent: bool = False) -> None:
        """Add a job at the end, or before all others where it is urgent."""
        with self._changed:
            if urgent:
                self._jobs.appendleft(job)
            else:
                self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """Let ``take`` return None once the queue is empty."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> list[Slot] | None:
        """The next batch: at least one text, at most the token budget; None when closed and empty.

        Waits for a first job, and then shortly for company.
        """
        with self._changed:
            while True:
                idle = not self._jobs
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return None
                if idle and self._wait and not self._closed:
                    self._changed.wait_for(self._full, timeout=self._wait)
                if batch := self._batch():
                    return batch

    def _full(self) -> bool:
        return self._closed or sum(job.waiting_cost for job in self._jobs) >= self._budget.tokens

    def _batch(self) -> list[Slot]:
        batch: list[Slot] = []
        room = self._budget.tokens
        while self._jobs:
            job = self._jobs.popleft()
            if not _alive(job):
                continue
            if batch and job.next_cost > room:
                self._jobs.appendleft(job)
                break
            slot = job.take()
            room -= slot.cost
            batch.append(slot)
            if not job.exhausted:
                self._jobs.append(job)
        return batch


def deliver(batch: Sequence[Slot], encoded: Encoded) -> None:
    """Hand an encoder's answer to the jobs of ``batch``.

    Raises:
        ModelOutputError: it holds another number of vectors than there are texts.
    """
    if len(encoded.vectors) != len(batch):
        raise ModelOutputError(
            f"the encoder answered {len(encoded.vectors)} vectors for {len(batch)} texts; check "
            "that its model is the one named in the settings"
        )
    for row, slot in enumerate(batch):
        slot.job.deliver(
            slot.place,
            encoded.vectors[row],
            encoded.tokens[row],
            truncated=encoded.truncated[row],
        )


def _alive(job: Job) -> bool:
    """Whether a job is still wanted; one whose deadline has passed is answered here."""
    if job.over:
        return False
    if job.deadline.passed:
        job.fail(job.deadline.error())
        return False
    return True
