"""The client-side search: window search, one call to the sidecar, the user's request rescored.

The response is the engine's own. Whatever fails on the way to the rescore leaves the user's request
as it was, and the result says why.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.engine import Engine
from connectors.index import catalogue_of
from connectors.judgement import Judge, reason_of
from connectors.query_text import query_text
from connectors.refusals import method, page
from connectors.rescore import Weights, with_rescore
from connectors.search_options import (
    FirstStage,
    Method,
    OnFailure,
    PassThrough,
    SearchOptions,
    SearchResult,
)
from connectors.sidecar import SidecarClient
from connectors.steps import ByVector, Judgement, rescorers
from connectors.target import find_target
from connectors.window import (
    Wanted,
    WindowHit,
    add_texts,
    add_vectors,
    window_hits,
    window_search,
)
from plugin.ranking.errors import (
    DeadlineExceeded,
    EngineError,
    EngineRejected,
    ModelError,
    Overloaded,
    RanksideError,
    SettingsError,
    SidecarError,
)
from plugin.ranking.hits import Status, Strategy
from plugin.ranking.wire import PromptExplanation

__all__ = [
    "FirstStage",
    "Method",
    "OnFailure",
    "SearchOptions",
    "SearchResult",
    "Searcher",
]

_log = logging.getLogger(__name__)


class Searcher:
    """Searches of one cluster through one sidecar; safe for concurrent use."""

    def __init__(self, engine: Engine, sidecar: SidecarClient) -> None:
        self._engine = engine
        self._sidecar = sidecar

    async def search(
        self,
        index: str,
        body: Mapping[str, Any],
        options: SearchOptions | None = None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> SearchResult:
        """Run ``body`` on ``index`` with the parameters ``params``, reranked.

        Raises:
            EngineError: the engine cannot be reached or refuses the user's own request.
            UsageError: the text to rerank for cannot be read from the query.
            RanksideError: with ``on_failure: fail``, whatever kept the search from being reranked.
        """
        search = _Search(
            self._engine, self._sidecar, index, body, options or SearchOptions(), params or {}
        )
        return await search.run()


@dataclass(slots=True)
class _Search:
    """One search under way."""

    engine: Engine
    sidecar: SidecarClient
    index: str
    body: Mapping[str, Any]
    options: SearchOptions
    params: Mapping[str, Any]
    status: Status = Status.PASSED_THROUGH
    reason: str | None = None
    detail: str | None = None
    method: Method = Method.NONE
    judgement: Judgement | None = None
    window: Sequence[WindowHit] = ()
    prompts: Sequence[PromptExplanation] = ()
    timings: dict[str, float] = field(default_factory=dict)

    async def run(self) -> SearchResult:
        started = time.perf_counter()
        answer = await self._prepared()
        if answer is None and self.judgement is not None:
            answer = await self._rescored(self.judgement)
        if answer is None:
            with self._timed("rescore"):
                answer = await self._plain()
        self.timings["total"] = (time.perf_counter() - started) * 1000
        return self._result(answer)

    def _result(self, answer: dict[str, Any]) -> SearchResult:
        judgement = self.judgement or Judgement(())
        return SearchResult(
            body=answer,
            status=self.status,
            reason=self.reason,
            detail=self.detail,
            strategy=self.options.strategy,
            model=judgement.model,
            signals=judgement.signals,
            timings_ms=self.timings,
            first_stage={
                one.place: FirstStage(rank, one.hit.score)
                for rank, one in enumerate(self.window, start=1)
            },
            method=self.method,
            weights=_weights(judgement) if self.method is Method.RESCORE else None,
            prompts=tuple(self.prompts),
        )

    async def _prepared(self) -> dict[str, Any] | None:
        """Ask the sidecar. A response where the hits were reordered; None where one is still due.

        Without a judgement then, the search is passed through and the reason is set.
        """
        try:
            way = self._way()
            async with asyncio.timeout(self.options.deadline):
                judge = await self._judge()
                self.prompts = judge.prompts
                if way is Method.REORDER:
                    return await self._reordered(judge)
                await self._find_window(judge)
                self.judgement = await self._asked(judge)
        except PassThrough as passed:
            self._pass(passed.reason, passed.error)
        except TimeoutError as error:
            late = DeadlineExceeded(
                f"no reranking within {self.options.deadline} s; raise the deadline or lower the "
                "window"
            )
            late.__cause__ = error
            self._pass("deadline", late)
        except (SidecarError, ModelError, Overloaded, EngineError) as error:
            self._pass(reason_of(error), error)
        return None

    def _way(self) -> Method:
        if self.options.strategy is Strategy.NONE:
            raise PassThrough("strategy_none")
        return method(self.body, self.params)

    async def _judge(self) -> Judge:
        deadline = self.options.deadline
        expires = None if deadline is None else time.monotonic() + deadline
        text = self.options.query_text or query_text(self.body, self.params)
        catalogue = catalogue_of(self.engine)
        target = await find_target(self.engine, catalogue, self.index, self.options)
        return Judge(self.engine, self.sidecar, self.index, target, self.options, text, expires)

    async def _find_window(self, judge: Judge) -> None:
        with self._timed("window"):
            wanted = await judge.wanted()
            self.window = await self._window(judge, wanted)
            if wanted.hits < self.options.window and any(map(judge.stale, self.window)):
                # Where one is, others may be: they are kept out by their ids, which are needed.
                whole = replace(wanted, hits=self.options.window)
                self.window = await self._window(judge, whole)

    async def _window(self, judge: Judge, wanted: Wanted) -> list[WindowHit]:
        return await window_search(
            self.engine, self.index, self.body, wanted, judge.target, self.params
        )

    async def _asked(self, judge: Judge) -> Judgement:
        """The window to the sidecar, if there is anything to order."""
        if not self.window:
            raise PassThrough("no_hits")
        unknown = {one.place.index for one in self.window} - judge.target.indices
        if judge.target.indices and unknown:
            judge.catalogue.forget(self.index)
            raise PassThrough(
                "index_changed",
                SettingsError(f"{self.index} came to mean other indices meanwhile; search again"),
            )
        with self._timed("sidecar"):
            return await judge.judge(self.window)

    async def _rescored(self, judgement: Judgement) -> dict[str, Any] | None:
        """The user's request with the rescore; None where the engine refuses it so."""
        extra = rescorers(judgement, self.window, self.options.window)
        body = with_rescore(self.body, extra) if extra else self.body
        with self._timed("rescore"):
            try:
                answer = await self.engine.search(self.index, body, params=self.params)
            except EngineRejected as error:
                # The user's own request may be what is refused: it will say so itself.
                self._pass(f"rescore_refused:{error.kind or error.status}", error)
                return None
            failed = _failed_shards(answer)
            if failed and extra:
                plain = await self._plain()
                if _failed_shards(plain) < failed:
                    self._pass(f"rescore_failed_on_shards:{failed}", _shards_failed(answer, failed))
                    return plain
        self._done(Method.RESCORE, judgement)
        return answer

    async def _reordered(self, judge: Judge) -> dict[str, Any]:
        """The user's request as deep as the window, its hits put in order, the page cut out."""
        first, size = page(self.body, self.params)
        deep = max(self.options.window, first + size)
        params = {k: v for k, v in self.params.items() if k not in {"from", "size"}}
        with self._timed("window"):
            body = {**self.body, "from": 0, "size": deep}
            answer = await self.engine.search(self.index, body, params=params)
            raw = answer["hits"]["hits"]
            # The user's own response says nothing of vectors.
            target = replace(judge.target, hash_field=None)
            found = window_hits(raw[: self.options.window], (), target)
            self.window = await self._read(judge, found)
        judgement = await self._asked(judge)
        with self._timed("rescore"):
            ordered = await judge.ordered(self.window, judgement.steps)
            answer["hits"]["hits"] = _page(raw, ordered, first, size)
        self.judgement = judgement
        self._done(Method.REORDER, judgement)
        return answer

    async def _read(self, judge: Judge, hits: Sequence[WindowHit]) -> list[WindowHit]:
        """``hits`` with the texts and vectors that the sidecar will want of them."""
        wanted = await judge.wanted()
        texts, fed = list(hits[: wanted.texts]), list(hits[: wanted.vectors])
        head = await add_texts(self.engine, self.index, texts, judge.target)
        head = [*head, *hits[len(head) :]]
        if fed:
            fed = await add_vectors(self.engine, self.index, head[: len(fed)], judge.target)
        return [*fed, *head[len(fed) :]]

    async def _plain(self) -> dict[str, Any]:
        """The user's request, exactly."""
        return await self.engine.search(self.index, self.body, params=self.params)

    def _done(self, way: Method, judgement: Judgement) -> None:
        self.status, self.reason = judgement.status, judgement.reason
        self.method = way

    def _pass(self, reason: str, error: RanksideError | None) -> None:
        if error is not None:
            if self.options.fails:
                raise error
            self.detail = str(error)
            _log.warning("search on %s passed through: %s (%s)", self.index, reason, error)
        self.status, self.reason = Status.PASSED_THROUGH, reason

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.timings[stage] = self.timings.get(stage, 0.0) + spent


def _page(
    raw: Sequence[dict[str, Any]], ordered: Sequence[WindowHit], first: int, size: int
) -> list[dict[str, Any]]:
    by_place = {(hit["_index"], hit["_id"]): hit for hit in raw}
    head = [by_place.pop((one.place.index, one.place.id)) for one in ordered]
    return [*head, *by_place.values()][first : first + size]


def _failed_shards(answer: Mapping[str, Any]) -> int:
    return int(answer.get("_shards", {}).get("failed", 0))


def _shards_failed(answer: Mapping[str, Any], failed: int) -> EngineRejected:
    failures = answer["_shards"].get("failures") or [{}]
    why = failures[0].get("reason", {}).get("reason", "no reason given")
    return EngineRejected(
        f"the rescore failed on {failed} shards, the first saying: {why}; search indices whose "
        "vector field is one type, or try the other rescore of script and knn",
        status=200,
    )


def _weights(judgement: Judgement) -> Weights | None:
    """The weights of a rescore by vector alone."""
    match judgement.steps:
        case (ByVector(_, weights),):
            return weights
        case _:
            return None
