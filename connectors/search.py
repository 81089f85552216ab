"""The client-side search: window search, one call to the sidecar, the user's request rescored.

The response is the engine's own. Whatever fails on the sidecar's side leaves the user's request as
it was, and the result says why.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.engine import Engine
from connectors.index import IndexCatalogue
from connectors.meta import IndexMeta
from connectors.query_text import query_text
from connectors.refusals import why_no_rescore
from connectors.rescore import Place, RescoreBy, by_knn, by_order, by_script
from connectors.sidecar import SidecarClient
from connectors.window import Wanted, WindowHit, window_search
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelError,
    ModelOutputError,
    Overloaded,
    RanksideError,
    SidecarError,
    SidecarRejected,
    SidecarUnavailable,
)
from plugin.ranking.hits import FusionWeights, Status, Strategy
from plugin.ranking.wire import ListwiseCall, ModelCard, RankCall, WireFusion, WireHit

logger = logging.getLogger(__name__)

DEFAULT_WINDOW = 100


class OnFailure(StrEnum):
    """What becomes of a search whose reranking failed."""

    PASS_THROUGH = "pass_through"  # noqa: S105 - no password
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to rerank. What is None comes from the query, the index or the model.

    ``window`` hits are put in order, per shard unless ``exact_window``. ``deadline`` is in seconds,
    for everything before the user's own request. ``explain`` fetches the whole window's first
    stage, for display. ``text_fields``, ``vector_field`` and ``fingerprint`` describe an index
    whose mapping has no ``_meta.rankside``.
    """

    query_text: str | None = None
    strategy: Strategy = Strategy.E2RANK
    window: int = DEFAULT_WINDOW
    prompt_hits: int | None = None
    fusion: FusionWeights | None = None
    instruction: str | None = None
    rescore: RescoreBy = RescoreBy.AUTO
    exact_window: bool = False
    deadline: float | None = None
    on_failure: OnFailure = OnFailure.PASS_THROUGH
    explain: bool = False
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class FirstStage:
    """Where a hit stood before; ranks count from 1."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The engine's own response, and what happened.

    ``first_stage`` has the hits of the window that were fetched. ``timings_ms`` has ``window``,
    ``sidecar``, ``rescore`` (the user's own request) and ``total``.
    """

    body: dict[str, Any]
    status: Status
    reason: str | None
    strategy: Strategy
    model: str | None
    signals: Mapping[str, float]
    timings_ms: Mapping[str, float]
    first_stage: Mapping[Place, FirstStage]


async def rerank_search(
    engine: Engine,
    sidecar: SidecarClient,
    index: str,
    body: Mapping[str, Any],
    options: SearchOptions | None = None,
    *,
    params: Mapping[str, Any] | None = None,
) -> SearchResult:
    """Run ``body`` on ``index``, reranked; see Searcher.search."""
    return await Searcher(engine, sidecar).search(index, body, options, params=params)


class Searcher:
    """Searches of one cluster through one sidecar; safe for concurrent use."""

    def __init__(self, engine: Engine, sidecar: SidecarClient) -> None:
        self._engine = engine
        self._sidecar = sidecar
        self._catalogue = IndexCatalogue(engine)

    async def search(
        self,
        index: str,
        body: Mapping[str, Any],
        options: SearchOptions | None = None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> SearchResult:
        """Run ``body`` on ``index``, reranked.

        Raises:
            EngineError: the engine cannot be reached or refuses the user's own request.
            UsageError: the text to rerank for cannot be read from the query.
            SidecarError, ModelError, Overloaded, DeadlineExceeded: with ``on_failure: fail`` only.
        """
        rerank = _Rerank(
            self._engine,
            self._sidecar,
            self._catalogue,
            index,
            body,
            options or SearchOptions(),
            params or {},
        )
        return await rerank.run()


class _PassThrough(Exception):
    """Why this search is left as it was."""


@dataclass(slots=True)
class _Rerank:
    """One search under way."""

    engine: Engine
    sidecar: SidecarClient
    catalogue: IndexCatalogue
    index: str
    body: Mapping[str, Any]
    options: SearchOptions
    params: Mapping[str, Any]
    status: Status = Status.PASSED_THROUGH
    reason: str | None = None
    model: str | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    window: Sequence[WindowHit] = ()

    async def run(self) -> SearchResult:
        started = time.perf_counter()
        clause = await self._clause_or_none()
        body = self.body if clause is None else _with_rescore(self.body, clause)
        with self._timed("rescore"):
            answer = await self.engine.search(self.index, body, params=self.params)
        self.timings["total"] = (time.perf_counter() - started) * 1000
        return SearchResult(
            body=answer,
            status=self.status,
            reason=self.reason,
            strategy=self.options.strategy,
            model=self.model,
            signals=self.signals,
            timings_ms=self.timings,
            first_stage={
                one.place: FirstStage(rank, one.hit.score)
                for rank, one in enumerate(self.window, start=1)
            },
        )

    async def _clause_or_none(self) -> dict[str, Any] | None:
        """The rescore clause; None where the search is passed through, with the reason set."""
        try:
            async with asyncio.timeout(self.options.deadline):
                return await self._clause()
        except _PassThrough as passed:
            self.reason = str(passed)
        except (SidecarError, ModelError, Overloaded, DeadlineExceeded) as error:
            self._failed(error)
        except TimeoutError as error:
            late = DeadlineExceeded(
                f"no reranking within {self.options.deadline} s; raise the deadline or lower the "
                "window"
            )
            late.__cause__ = error
            self._failed(late)
        return None

    def _failed(self, error: RanksideError) -> None:
        if self.options.on_failure is OnFailure.FAIL:
            raise error
        self.status, self.reason = Status.PASSED_THROUGH, _reason(error)
        logger.warning("search on %s passed through: %s (%s)", self.index, self.reason, error)

    async def _clause(self) -> dict[str, Any]:
        refused = why_no_rescore(self.body, self.params)
        if self.options.strategy is Strategy.NONE:
            refused = "strategy_none"
        if refused:
            raise _PassThrough(refused)
        text = self.options.query_text or query_text(self.body)
        card = await self.sidecar.model()
        meta = await self._meta(card)
        script = self.options.strategy is Strategy.E2RANK and await self._by_script(meta)
        with self._timed("window"):
            self.window = await window_search(
                self.engine,
                self.index,
                self.body,
                self._wanted(meta, card, script=script),
                self.params,
            )
        if not self.window:
            raise _PassThrough("no_hits")
        with self._timed("sidecar"):
            if self.options.strategy is Strategy.E2RANK:
                return await self._by_vector(text, meta, card, script=script)
            return await self._by_order(text, meta)

    async def _meta(self, card: ModelCard) -> IndexMeta:
        """What the index says of its vectors, the caller's word first."""
        options = self.options
        meta = await self.catalogue.meta(self.index)
        if (
            meta is None
            and options.strategy is not Strategy.INSERTRANK
            and not (options.vector_field and options.fingerprint)
        ):
            raise _PassThrough("no_rankside_vectors")
        given = {
            "text_fields": options.text_fields,
            "vector_field": options.vector_field,
            "fingerprint": options.fingerprint,
        }
        base = meta or IndexMeta(fingerprint="", model=card.id, dimensions=card.dimensions)
        meta = base.model_copy(update={k: v for k, v in given.items() if v is not None})
        if options.strategy is not Strategy.INSERTRANK and meta.fingerprint != card.fingerprint:
            raise _PassThrough("stale_vectors")
        return meta

    async def _by_script(self, meta: IndexMeta) -> bool:
        if self.options.rescore is RescoreBy.AUTO:
            return await self.catalogue.scripts(self.index, meta)
        return self.options.rescore is RescoreBy.SCRIPT

    def _wanted(self, meta: IndexMeta, card: ModelCard, *, script: bool) -> Wanted:
        """Only the prompt hits where nothing needs the whole window's texts or ids."""
        options = self.options
        e2rank = options.strategy is Strategy.E2RANK
        whole = not e2rank or not script or options.exact_window or options.explain
        prompt_hits = min(options.prompt_hits or card.prompt_hits, options.window)
        vectors = 0
        if options.strategy is Strategy.CASCADE:
            vectors = options.window
        elif e2rank and self._rocchio(card):
            vectors = card.rocchio_hits
        return Wanted(
            size=options.window if whole else max(prompt_hits, vectors),
            text_fields=meta.text_fields,
            vector_field=meta.vector_field,
            vectors=vectors,
        )

    def _rocchio(self, card: ModelCard) -> bool:
        if self.options.fusion is not None:
            return self.options.fusion.rocchio > 0
        return card.fusion is not None and card.fusion.rocchio > 0

    async def _by_vector(
        self, text: str, meta: IndexMeta, card: ModelCard, *, script: bool
    ) -> dict[str, Any]:
        options = self.options
        prompt_hits = max(options.prompt_hits or card.prompt_hits, card.rocchio_hits)
        answer = await self.sidecar.listwise(
            ListwiseCall(
                query=text,
                hits=[WireHit.of(one.hit) for one in self.window[:prompt_hits]],
                instruction=options.instruction,
                fusion=_wire(options.fusion),
                vector_fingerprint=meta.fingerprint,
                prompt_hits=options.prompt_hits,
                deadline_ms=self._remaining_ms(),
            )
        )
        self.model, self.signals = answer.model.name, answer.signals
        self.status, self.reason = answer.status, answer.reason
        vector = answer.to_vector()
        if vector is None:
            raise _PassThrough(answer.reason or "passed_through_by_the_sidecar")
        if vector.shape != (meta.dimensions,) or answer.model.fingerprint != meta.fingerprint:
            raise ModelOutputError("the sidecar's vector is another model's than the index's")
        places = [one.place for one in self.window[: options.window]]
        weight = answer.first_stage_weight
        kind, name = self.engine.kind, meta.vector_field
        if script:
            among = places if options.exact_window else ()
            return by_script(kind, name, vector, weight, options.window, among)
        return by_knn(kind, name, vector, weight, options.window, places)

    async def _by_order(self, text: str, meta: IndexMeta) -> dict[str, Any]:
        options = self.options
        cascade = options.strategy is Strategy.CASCADE
        answer = await self.sidecar.rank(
            RankCall(
                query=text,
                hits=[WireHit.of(one.hit) for one in self.window],
                strategy=options.strategy,
                instruction=options.instruction,
                fusion=_wire(options.fusion),
                vector_fingerprint=meta.fingerprint if cascade else None,
                prompt_hits=options.prompt_hits,
                deadline_ms=self._remaining_ms(),
            )
        )
        self.model = answer.model.name if answer.model else None
        self.status, self.reason = answer.status, answer.reason
        if answer.status is Status.PASSED_THROUGH:
            raise _PassThrough(answer.reason or "passed_through_by_the_sidecar")
        places = {one.hit.id: one.place for one in self.window}
        return by_order([places[item.id] for item in answer.results], options.window)

    def _remaining_ms(self) -> float | None:
        """What is left of the deadline for the sidecar."""
        if self.options.deadline is None:
            return None
        return max(self.options.deadline * 1000 - self.timings.get("window", 0.0), 1.0)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[stage] = (time.perf_counter() - start) * 1000


def _with_rescore(body: Mapping[str, Any], clause: Mapping[str, Any]) -> dict[str, Any]:
    """The user's request with one more rescore, behind any of the user's own."""
    own = body.get("rescore", [])
    return {**body, "rescore": [*(own if isinstance(own, list) else [own]), dict(clause)]}


def _wire(weights: FusionWeights | None) -> WireFusion | None:
    return None if weights is None else WireFusion(**weights.as_dict())


_REASONS: Sequence[tuple[type[RanksideError], str]] = (
    (Overloaded, "overloaded"),
    (DeadlineExceeded, "deadline"),
    (SidecarUnavailable, "sidecar_unavailable"),
    (SidecarRejected, "sidecar_rejected"),
    (ModelOutputError, "unusable_answer"),
)


def _reason(error: RanksideError) -> str:
    """A word for metrics and eyes; the log line has the sentence."""
    return next((word for kind, word in _REASONS if isinstance(error, kind)), "failed")
