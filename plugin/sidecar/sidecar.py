"""What the routes share: one object, wired once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request

from plugin.models.encoder import Encoder
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import RanksideError, RequestError
from plugin.ranking.hits import Status, Strategy
from plugin.ranking.wire import ModelInfo
from plugin.sidecar.admission import Admission
from plugin.sidecar.cache import VectorCache
from plugin.sidecar.call import Call
from plugin.sidecar.deadline import Deadline
from plugin.sidecar.encoding import Encoding
from plugin.sidecar.insertrank import InsertRanker
from plugin.sidecar.lifecycle import Lifecycle
from plugin.sidecar.metrics import Metrics
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.ranker import Ranker
from plugin.sidecar.record import record_of
from plugin.sidecar.worker import Worker

EncoderSource = Encoder | Callable[[], Encoder]
OnFatal = Callable[[RanksideError], None]
_STOP_SECONDS = 5.0


class Sidecar:
    """One encoder, at most one LLM, and everything around them."""

    def __init__(
        self,
        options: SidecarOptions,
        encoder: EncoderSource,
        llm: LLM | None,
        llm_options: LLMOptions,
        on_fatal: OnFatal | None,
    ) -> None:
        self.options = options
        self.metrics = Metrics()
        self._lazy = callable(encoder)
        self._on_fatal = on_fatal or _end_process
        self._threads = ThreadPoolExecutor(options.prompt_threads, "prompts")
        load = encoder if callable(encoder) else lambda: encoder
        admission = Admission(options.queue_tokens, self.metrics)
        worker = Worker(load, options, admission, self.metrics, self._fatal)
        encoding = Encoding(worker, VectorCache(options.cache_bytes), self.metrics)
        self.llm = InsertRanker(llm, llm_options, self.metrics, self._threads) if llm else None
        self.ranker = Ranker(encoding, self.llm, admission, self._threads)
        self.lifecycle = Lifecycle(worker, self.metrics, options.ready_timeout)

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Up, serve, down. A model that is loaded already is warmed before anything is served.

        One that must be loaded first is loaded beside the server, which says 503 meanwhile.
        """
        rising = asyncio.create_task(self._rise())
        if not self._lazy:
            await rising
        try:
            yield
        finally:
            rising.cancel()
            await self.lifecycle.take_down(_STOP_SECONDS)
            self._threads.shutdown(wait=False, cancel_futures=True)
            if self.llm:
                await self.llm.close()

    def call(self, request: Request, deadline_ms: float | None = None) -> Call:
        """The account of a call that began when its request arrived: reading it takes time too."""
        began = record_of(request).arrived
        limit = self.options.timeout if deadline_ms is None else deadline_ms / 1000
        return Call(Deadline.after(limit, began), began)

    def bounded(self, hits: int) -> None:
        """Raise RequestError where a ranking call holds too many hits."""
        if hits > self.options.max_hits:
            raise RequestError(
                f"{hits} hits are more than the {self.options.max_hits} of sidecar.max_hits; send "
                "a smaller window"
            )

    def model_info(self, dimensions: int | None = None) -> ModelInfo:
        """Which encoder answers, with vectors of ``dimensions``."""
        profile = self.ranker.cut(dimensions)
        return ModelInfo(
            name=profile.name, revision=profile.revision, fingerprint=profile.fingerprint
        )

    async def _rise(self) -> None:
        try:
            await self.lifecycle.bring_up()
        except RanksideError as error:
            self._fatal(error)

    def _fatal(self, error: RanksideError) -> None:
        self.lifecycle.fail(error)
        self._on_fatal(error)


def _end_process(_error: RanksideError) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def sidecar_of(request: Request) -> Sidecar:
    """The sidecar of the app that serves ``request``."""
    sidecar: Sidecar = request.app.state.sidecar
    return sidecar


def note(
    request: Request, call: Call, strategy: Strategy, status: Status, reason: str | None
) -> None:
    """Say what became of a ranking: in the metrics, in the log line, and in the headers."""
    timings = call.timings()
    sidecar_of(request).metrics.ranked(strategy, status, reason, timings)
    record = record_of(request)
    record.headers["x-rankside-status"] = status.value
    if reason:
        record.headers["x-rankside-reason"] = reason
    record.fields.update(
        strategy=strategy.value,
        status=status.value,
        reason=reason,
        timings_ms=timings.model_dump(),
        usage=call.usage().model_dump(),
    )


SidecarDependency = Annotated[Sidecar, Depends(sidecar_of)]
