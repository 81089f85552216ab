"""The one thread that owns the encoder: loads it, runs batches until the queue ends, closes it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence

from plugin.models.encoder import Encoder
from plugin.ranking.errors import ModelOutputError, ModelUnavailable, RanksideError
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.admission import Admission, estimate
from plugin.sidecar.batching import Budget, Embedded, Job, JobQueue, Slot, deliver
from plugin.sidecar.deadline import Deadline
from plugin.sidecar.metrics import Metrics
from plugin.sidecar.options import SidecarOptions

logger = logging.getLogger(__name__)


class Worker:
    """Runs an encoder for many calls at once.

    ``load`` is called in the worker's thread, and so is ``on_fatal``, when the model can never be
    used again by this process.
    """

    def __init__(
        self,
        load: Callable[[], Encoder],
        options: SidecarOptions,
        admission: Admission,
        metrics: Metrics,
        on_fatal: Callable[[RanksideError], None],
    ) -> None:
        self._load = load
        self._budget = Budget(options.batch_tokens, options.batch_seconds)
        self._queue = JobQueue(self._budget, options.batch_wait)
        self._admission = admission
        self._metrics = metrics
        self._on_fatal = on_fatal
        self._encoder: Encoder | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)

    @property
    def encoder(self) -> Encoder:
        """The loaded encoder; raises ModelUnavailable before it is there."""
        if self._encoder is None:
            raise ModelUnavailable("the model is not loaded yet; wait until /health/ready says 200")
        return self._encoder

    def start(self, loaded: asyncio.Future[None]) -> None:
        """Start the thread; ``loaded`` is resolved when the encoder is there, or failed."""
        self._loaded, self._loop = loaded, asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, timeout: float) -> None:
        """Let what is queued finish, for at most ``timeout`` seconds."""
        self._queue.close()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, timeout)

    async def encode(
        self, inputs: Sequence[EncoderInput], deadline: Deadline, *, urgent: bool = False
    ) -> Embedded:
        """Embed ``inputs`` (at least one), in batches shared with other calls.

        When the caller is cancelled, what is still queued is dropped. Urgent work is in the next
        batch whatever waits.

        Raises:
            ModelUnavailable, ModelOutputError: the encoder failed.
            DeadlineExceeded: the deadline passed while queued or running.
        """
        limit = self.encoder.profile.max_tokens
        job = Job(inputs, [estimate(one.text, limit) for one in inputs], deadline)
        self._queue.put(job, urgent=urgent)
        async with deadline.enforced():
            return await job.answer

    def _run(self) -> None:
        encoder = self._loading()
        if encoder is None:
            return
        while batch := self._queue.take():
            self._serve(encoder, batch)
        error = _caught(encoder.close)
        if error is not None:
            logger.warning("the encoder did not close: %s", error, exc_info=error)

    def _loading(self) -> Encoder | None:
        found: list[Encoder] = []
        error = _caught(lambda: found.append(self._load()))
        self._encoder = found[0] if found else None
        self._resolve(None if error is None else _translated(error))
        return self._encoder

    def _serve(self, encoder: Encoder, batch: Sequence[Slot]) -> None:
        error = _caught(lambda: self._embed(encoder, batch))
        if error is not None:
            self._failed(encoder, batch, error)

    def _embed(self, encoder: Encoder, batch: Sequence[Slot]) -> None:
        start = time.perf_counter()
        encoded = encoder.encode([slot.input for slot in batch])
        deliver(batch, encoded)
        cost, seconds = sum(slot.cost for slot in batch), time.perf_counter() - start
        self._admission.worked(cost, seconds)
        self._budget.learn(cost, seconds)
        self._metrics.batch(len(batch), sum(encoded.tokens))

    def _failed(self, encoder: Encoder, batch: Sequence[Slot], error: Exception) -> None:
        """Answer the failure; where calls share a batch, each is first tried on its own."""
        self._metrics.batch_failures.inc()
        jobs = list(dict.fromkeys(slot.job for slot in batch))
        if len(jobs) > 1 and not isinstance(error, ModelUnavailable):
            for job in jobs:
                self._serve(encoder, [slot for slot in batch if slot.job is job])
            return
        failure = _translated(error)
        logger.error("the encoder failed on %d texts: %s", len(batch), failure, exc_info=error)
        for job in jobs:
            job.fail(failure)
        if isinstance(failure, ModelUnavailable) and failure.fatal:
            self._on_fatal(failure)

    def _resolve(self, error: RanksideError | None) -> None:
        def resolve() -> None:
            if self._loaded.done():
                return
            if error is None:
                self._loaded.set_result(None)
            else:
                self._loaded.set_exception(error)

        self._loop.call_soon_threadsafe(resolve)


def _caught(work: Callable[[], None]) -> Exception | None:
    """What ``work`` raised, if it did."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - boundary: the thread outlives whatever a model does
        return error
    return None


def _translated(error: Exception) -> RanksideError:
    if isinstance(error, RanksideError):
        return error
    failure = ModelOutputError(
        f"the model failed unexpectedly ({type(error).__name__}); look for it in the log"
    )
    failure.__cause__ = error
    return failure
