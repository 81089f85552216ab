"""Rank with one encoder and, where there is one, an LLM; fail open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from plugin.ranking import e2rank
from plugin.ranking.cascade import (
    fallen_back,
    head_request,
    join,
    lead_of,
    margin,
    settled,
    settled_before,
)
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelError,
    ModelOutputError,
    ModelUnavailable,
    RequestError,
)
from plugin.ranking.hits import Ranking, RankRequest, Status, Strategy, Vector, passed_through
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.admission import Admission, estimate_all, estimate_request
from plugin.sidecar.call import Call
from plugin.sidecar.encoding import Encoding
from plugin.sidecar.insertrank import InsertRanker

Matrix = npt.NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Listwise:
    """What became of an E2Rank call; ``vector`` is None where it was passed through."""

    vector: Vector | None
    first_stage_weight: float
    signals: dict[str, float]
    status: Status
    reason: str | None


class Ranker:
    """The strategies, over an encoder and an LLM.

    A model that fails, is late or answers nonsense leaves the first-stage order, with status and
    reason; only requests that are wrong themselves, and overload, raise.
    """

    def __init__(
        self,
        encoding: Encoding,
        llm: InsertRanker | None,
        admission: Admission,
        threads: Executor,
    ) -> None:
        self._encoding = encoding
        self._llm = llm
        self._admission = admission
        self._threads = threads

    @property
    def profile(self) -> ModelProfile:
        """The encoder as data; raises ModelUnavailable before it is loaded."""
        return self._encoding.encoder.profile

    async def listwise(self, request: RankRequest, dimensions: int | None, call: Call) -> Listwise:
        """E2Rank's fast path: one fused vector of ``dimensions`` (None: the model's own).

        Raises:
            RequestError: the request is wrong.
            Overloaded: the admission rule refused it.
        """
        profile = self.cut(dimensions)
        if not request.hits:
            return _no_vector("no_hits")
        with self._admission.admit(estimate_request(request, profile, documents=False)):
            try:
                plan = await self._plan(request, profile, call, documents=False)
                vectors = await self._encoding.fresh(plan.inputs, call)
                with call.stage("score"):
                    return _listwise(plan, vectors[:, : profile.dimensions])
            except (ModelError, DeadlineExceeded) as error:
                return _no_vector(_reason(error))

    async def rank(self, request: RankRequest, dimensions: int | None, call: Call) -> Ranking:
        """The window in the order of the request's strategy.

        Raises:
            RequestError: the request is wrong.
            Overloaded: the admission rule refused it.
        """
        if request.strategy is Strategy.NONE:
            return passed_through(request, "strategy_none")
        if not request.hits:
            return passed_through(request, "no_hits")
        if request.strategy is Strategy.E2RANK:
            return await self._e2rank(request, dimensions, call)
        llm = self._need_llm(request.strategy)
        if request.strategy is Strategy.INSERTRANK:
            lead = lead_of(request.window_scores)
            if llm.settles(lead):
                return settled_before(request, lead)
            return await self._insertrank_or(llm, request, dimensions, call)
        return await self._cascade(llm, request, dimensions, call)

    async def embed(
        self, inputs: Sequence[EncoderInput], dimensions: int | None, call: Call
    ) -> Matrix:
        """Vectors of ``inputs``, float32 (n, dimensions), cut and scaled as the model has them.

        Raises:
            RequestError: the model has no vectors of ``dimensions``.
            Overloaded: the admission rule refused it.
            ModelError, DeadlineExceeded: there are no vectors.
        """
        profile = self.cut(dimensions)
        tokens = estimate_all((one.text for one in inputs), profile.max_tokens)
        with self._admission.admit(tokens):
            vectors = await self._encoding.fresh(inputs, call)
        vectors = vectors[:, : profile.dimensions]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and (norms > 0).all()):
            raise ModelOutputError(
                f"{profile.name} gave NaN, infinite or zero vectors; check its dtype and weights"
            )
        return (vectors / norms).astype(np.float32) if profile.normalize else vectors

    def cut(self, dimensions: int | None) -> ModelProfile:
        """The profile with vectors cut to ``dimensions``; None means all of them.

        Raises:
            RequestError: the model has no vectors of that length.
        """
        profile = self.profile
        allowed = sorted({profile.dimensions, *profile.matryoshka})
        if dimensions is not None and dimensions not in allowed:
            raise RequestError(
                f"{profile.name} has no vectors of {dimensions} dimensions; ask for one of "
                f"{allowed}"
            )
        return replace(profile, dimensions=dimensions or profile.dimensions)

    async def _e2rank(self, request: RankRequest, dimensions: int | None, call: Call) -> Ranking:
        profile = self.cut(dimensions)
        with self._admission.admit(estimate_request(request, profile, documents=True)):
            try:
                plan = await self._plan(request, profile, call, documents=True)
                vectors = await self._encoding.cached(plan.inputs, call)
                with call.stage("score"):
                    ranking = await self._in_thread(
                        lambda: plan.ranking(vectors[:, : profile.dimensions])
                    )
            except (ModelError, DeadlineExceeded) as error:
                return passed_through(request, _reason(error))
        if all(ranked.score is None for ranked in ranking.hits):
            return passed_through(request, _unused(plan) or ranking.reason or "no_text")
        return ranking

    async def _cascade(
        self, llm: InsertRanker, request: RankRequest, dimensions: int | None, call: Call
    ) -> Ranking:
        first = await self._e2rank(request, dimensions, call)
        if first.status is Status.PASSED_THROUGH:
            return first
        if llm.settles(lead := margin(first)):
            return settled(first, lead)
        head = head_request(request, first, min(request.head or llm.window, llm.window))
        return join(first, await self._insertrank(llm, head, call))

    async def _insertrank_or(
        self, llm: InsertRanker, request: RankRequest, dimensions: int | None, call: Call
    ) -> Ranking:
        """The LLM's order, else E2Rank's where that is the fallback, else the first stage's."""
        window = min(request.window or llm.window, llm.window)
        reserve = llm.reserve
        asked = replace(request, window=window)
        first = await self._insertrank(llm, asked, call, reserve=reserve or 0.0)
        if first.status is not Status.PASSED_THROUGH or reserve is None:
            return first
        instead = replace(request, strategy=Strategy.E2RANK)
        return fallen_back(first, await self._e2rank(instead, dimensions, call))

    async def _insertrank(
        self, llm: InsertRanker, request: RankRequest, call: Call, *, reserve: float = 0.0
    ) -> Ranking:
        with self._admission.admit(llm.estimate(request)), call.stage("llm"):
            return await llm.rank(request, call, reserve=reserve)

    async def _plan(
        self, request: RankRequest, profile: ModelProfile, call: Call, *, documents: bool
    ) -> e2rank.Plan:
        tokenizer = self._encoding.encoder.tokenizer
        with call.stage("tokenize"):
            async with call.deadline.enforced():
                plan = await self._in_thread(
                    lambda: e2rank.plan(request, profile, tokenizer, documents=documents)
                )
        call.truncated += plan.prompt.truncated if plan.prompt else 0
        return plan

    def _need_llm(self, strategy: Strategy) -> InsertRanker:
        if self._llm is None:
            raise RequestError(
                f"strategy {strategy.value} needs an LLM and none is set; set RANKSIDE_LLM__URL, "
                "or ask for e2rank"
            )
        return self._llm

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _listwise(plan: e2rank.Plan, vectors: Matrix) -> Listwise:
    fused = plan.listwise_vector(vectors)
    if not fused.vector.any():
        return _no_vector("no_vector_signal")
    unused = _unused(plan) if plan.weights.rocchio else None
    return Listwise(
        vector=fused.vector,
        first_stage_weight=fused.first_stage_weight,
        signals={name: weight for name, weight in plan.weights.as_dict().items() if weight},
        status=Status.PARTIAL if unused else Status.RERANKED,
        reason=unused,
    )


def _no_vector(reason: str) -> Listwise:
    return Listwise(None, 0.0, {}, Status.PASSED_THROUGH, reason)


def _unused(plan: e2rank.Plan) -> str | None:
    """Which stored vectors were left out, and how many."""
    if plan.stale:
        return f"stale_vectors:{plan.stale}"
    return f"broken_vectors:{plan.broken}" if plan.broken else None


def _reason(error: ModelError | DeadlineExceeded) -> str:
    if isinstance(error, DeadlineExceeded):
        return "deadline"
    return "encoder_unavailable" if isinstance(error, ModelUnavailable) else "encoder_output"
