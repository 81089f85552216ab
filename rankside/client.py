"""Rankside from Python: reranked searches, and the sidecar's other calls.

Thin: what a call does is said where it is done, in ``connectors``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from connectors.connect import connect
from connectors.engine import Engine
from connectors.index import catalogue_of
from connectors.query_text import text_query
from connectors.search import Method, OnFailure, Searcher, SearchOptions, SearchResult
from connectors.sidecar import SidecarClient
from connectors.target import known_text_fields
from plugin.ranking.errors import UsageError
from plugin.ranking.hits import FusionWeights, Hit, Status, Strategy
from plugin.ranking.wire import RankAnswer, RankCall, WireHit
from rankside.access import client_options, engine_options
from rankside.settings import load_settings

__all__ = [
    "AsyncRankside",
    "FusionWeights",
    "Hit",
    "Method",
    "OnFailure",
    "Rankside",
    "SearchOptions",
    "SearchResult",
    "Status",
    "Strategy",
]

Result = TypeVar("Result")
_CLOSED = "there is no connection; use Rankside in a `with` statement"


class AsyncRankside:
    """One cluster and one sidecar, for use in ``async with``.

    ``engine`` and ``sidecar`` are addresses; without one the settings count (``config``: a TOML
    file), then the local engine that runs.

    Raises:
        SettingsError: no engine is named and none runs here, or a setting is wrong (some are seen
            on entry only).
        EngineError: on entry, the engine cannot be reached or refuses us.
    """

    def __init__(
        self,
        *,
        engine: str | None = None,
        sidecar: str | None = None,
        config: str | None = None,
    ) -> None:
        settings = load_settings(config)
        self._engine_options = engine_options(settings, engine)
        self._sidecar_options = client_options(settings, sidecar)
        self._open: tuple[Engine, SidecarClient] | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            sidecar = await undo.enter_async_context(SidecarClient(self._sidecar_options))
            self._open = await connect(self._engine_options), sidecar
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        opened, self._open = self._open, None
        for one in opened or ():
            await one.close()

    @property
    def engine(self) -> Engine:
        """The connection to the cluster; raises UsageError outside of ``async with``."""
        return self._opened()[0]

    @property
    def sidecar(self) -> SidecarClient:
        """The client of the sidecar; raises UsageError outside of ``async with``."""
        return self._opened()[1]

    async def search(
        self,
        index: str,
        request: str | Mapping[str, Any],
        options: SearchOptions | None = None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> SearchResult:
        """Run a search on ``index``, reranked.

        ``request`` is the body of a `_search`, or a plain text, which is searched for in the text
        fields of ``options``, else the index's own. ``params`` are the request's query parameters.

        Raises:
            EngineError: the engine cannot be reached or refuses the request.
            UsageError: the text to rerank for cannot be read from the body.
            RanksideError: with ``on_failure: fail``, whatever kept the search from being reranked.
        """
        if isinstance(request, str):
            named = options.text_fields if options else None
            request = {"query": text_query(request, named or await self._text_fields(index))}
        searcher = Searcher(self.engine, self.sidecar)
        return await searcher.search(index, request, options, params=params)

    async def rank(
        self, query: str, hits: Sequence[Hit], *, strategy: Strategy | None = None
    ) -> RankAnswer:
        """Put hits from anywhere in order; every one comes back exactly once.

        Raises:
            SidecarError, ModelError, Overloaded: the sidecar failed.
        """
        sent = [WireHit.of(hit) for hit in hits]
        return await self.sidecar.rank(RankCall(query=query, hits=sent, strategy=strategy))

    async def embed_documents(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Document vectors, float32 (len(texts), dimensions)."""
        return await self.sidecar.embed_documents(texts)

    async def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Query vectors, float32 (len(texts), dimensions)."""
        return await self.sidecar.embed_queries(texts)

    def _opened(self) -> tuple[Engine, SidecarClient]:
        if self._open is None:
            raise UsageError(_CLOSED)
        return self._open

    async def _text_fields(self, index: str) -> tuple[str, ...]:
        return await known_text_fields(self.engine, catalogue_of(self.engine), index)


class Rankside:
    """AsyncRankside for code that is not asynchronous, for use in ``with``; threads may share it.

    Its calls run in an event loop of its own, in a thread, so that they work in a notebook too.
    """

    def __init__(
        self,
        *,
        engine: str | None = None,
        sidecar: str | None = None,
        config: str | None = None,
    ) -> None:
        self._inner = AsyncRankside(engine=engine, sidecar=sidecar, config=config)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        with ExitStack() as undo:
            undo.callback(self._stop, self._loop)
            self._run(self._inner.__aenter__())
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None:
            try:
                self._run(self._inner.__aexit__(kind, error, trace))
            finally:
                self._stop(self._loop)

    def search(
        self,
        index: str,
        request: str | Mapping[str, Any],
        options: SearchOptions | None = None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> SearchResult:
        """See AsyncRankside.search."""
        return self._run(self._inner.search(index, request, options, params=params))

    def rank(
        self, query: str, hits: Sequence[Hit], *, strategy: Strategy | None = None
    ) -> RankAnswer:
        """See AsyncRankside.rank."""
        return self._run(self._inner.rank(query, hits, strategy=strategy))

    def embed_documents(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See AsyncRankside.embed_documents."""
        return self._run(self._inner.embed_documents(texts))

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See AsyncRankside.embed_queries."""
        return self._run(self._inner.embed_queries(texts))

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            work.close()
            raise UsageError(_CLOSED)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = None
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
