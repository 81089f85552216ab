"""The sidecar's life: loading → warming → ready → draining → stopped, or failed."""

from __future__ import annotations

import asyncio
import logging
import time
from enum import StrEnum

from plugin.ranking.errors import ModelUnavailable, RanksideError
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, InputKind, document_input, query_input
from plugin.sidecar.deadline import Deadline
from plugin.sidecar.metrics import Metrics
from plugin.sidecar.worker import Worker

logger = logging.getLogger("rankside.lifecycle")

_WARM_SECONDS = 600.0
_WARM_WORDS = 512
_FRESH = 1.0  # seconds that a health check's answer is kept


class Phase(StrEnum):
    """Where in its life a sidecar is."""

    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Lifecycle:
    """Brings the worker up and down, and says whether it can rank right now."""

    def __init__(self, worker: Worker, metrics: Metrics, ready_timeout: float) -> None:
        self.phase = Phase.LOADING
        self._worker = worker
        self._metrics = metrics
        self._timeout = ready_timeout
        self._checking = asyncio.Lock()
        self._checked_at = float("-inf")
        self._fault: RanksideError | None = None

    async def bring_up(self) -> None:
        """Load the encoder and run it once, so that the first call is not the slow one.

        Raises:
            RanksideError: it cannot be loaded, or fails.
        """
        self._enter(Phase.LOADING, "loading the model")
        loaded = asyncio.get_running_loop().create_future()
        self._worker.start(loaded)
        await loaded
        profile = self._worker.encoder.profile
        self._enter(Phase.WARMING, f"running {profile.name} once before the first call")
        await self._worker.encode(_warm_inputs(profile), Deadline.after(_WARM_SECONDS))
        self._enter(Phase.READY, f"ready to rank with {profile.name} ({profile.fingerprint})")

    def drain(self) -> None:
        """From now on not ready; what is in flight goes on."""
        if self.phase is not Phase.DRAINING:
            self._enter(Phase.DRAINING, "finishing the calls in flight")

    def fail(self, error: RanksideError) -> None:
        """Never ready again."""
        self._enter(Phase.FAILED, f"cannot rank: {error}")

    async def take_down(self, timeout: float) -> None:
        """Stop the worker, waiting at most ``timeout`` seconds for it."""
        self.drain()
        await self._worker.stop(timeout)
        self._enter(Phase.STOPPED, "stopped")

    async def check(self) -> None:
        """Ask the worker to embed a word; an answer is good for a second.

        Raises:
            ModelUnavailable: it is not ready, or did not answer in time.
            ModelError: it failed.
        """
        if self.phase is not Phase.READY:
            raise ModelUnavailable(f"not ready: {self.phase.value}; ask again later")
        async with self._checking:
            if time.monotonic() - self._checked_at > _FRESH:
                self._fault = await self._ask()
                self._checked_at = time.monotonic()
        if self._fault is not None:
            raise ModelUnavailable(f"not ready: {self._fault}") from self._fault

    async def _ask(self) -> RanksideError | None:
        word = [EncoderInput(InputKind.QUERY, "ready?")]
        try:
            await self._worker.encode(word, Deadline.after(self._timeout), urgent=True)
        except RanksideError as error:
            self._metrics.ready.set(0)
            return error
        self._metrics.ready.set(1)
        return None

    def _enter(self, phase: Phase, sentence: str) -> None:
        self.phase = phase
        self._metrics.ready.set(phase is Phase.READY)
        level = logging.ERROR if phase is Phase.FAILED else logging.INFO
        logger.log(level, "%s", sentence, extra={"fields": {"phase": phase.value}})


def _warm_inputs(profile: ModelProfile) -> list[EncoderInput]:
    """One input of each kind; the prompt is long enough to make a model reserve its memory."""
    passages = " ".join(["warm"] * min(profile.max_tokens, _WARM_WORDS))
    return [
        query_input(profile, "warm"),
        document_input(profile, "warm"),
        EncoderInput(InputKind.LISTWISE, passages),
    ]
