"""What a search has to know of an index and of its cluster, asked once in a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np

from connectors.engine import Engine
from connectors.meta import IndexMeta
from connectors.rescore import by_script
from plugin.ranking.errors import EngineRejected, UsageError

Value = TypeVar("Value")


class IndexCatalogue:
    """Remembers answers for ``ttl`` seconds; one per engine."""

    def __init__(self, engine: Engine, *, ttl: float = 30.0) -> None:
        self._engine = engine
        self._ttl = ttl
        self._kept: dict[str, tuple[float, object]] = {}

    async def meta(self, index: str) -> IndexMeta | None:
        """``_meta.rankside`` of the indices behind ``index``; None where one has none.

        Raises:
            UsageError: the indices disagree, so that one vector cannot serve them all.
        """
        return await self._once(f"meta:{index}", lambda: self._meta(index))

    async def scripts(self, index: str, meta: IndexMeta) -> bool:
        """Whether the cluster runs the vector script."""
        return await self._once("scripts", lambda: self._scripts(index, meta))

    async def _once(self, key: str, ask: Callable[[], Awaitable[Value]]) -> Value:
        known = self._kept.get(key)
        if known is None or time.monotonic() - known[0] > self._ttl:
            known = (time.monotonic(), await ask())
            self._kept[key] = known
        return known[1]  # type: ignore[return-value] # what ask() gave under this key

    async def _meta(self, index: str) -> IndexMeta | None:
        answer = await self._engine.request("GET", f"/{index}/_mapping")
        metas = {IndexMeta.of_mapping(one["mappings"]) for one in answer.values()}
        if len(metas) > 1:
            raise UsageError(
                f"the indices behind {index} have different _meta.rankside; search those with one "
                "model, or rebuild the others with `rankside backfill --rebuild`"
            )
        return next(iter(metas), None)

    async def _scripts(self, index: str, meta: IndexMeta) -> bool:
        vector = np.full(meta.dimensions, meta.dimensions**-0.5, dtype=np.float32)
        clause = by_script(self._engine.kind, meta.vector_field, vector, 0, 1)
        query = clause["query"]["rescore_query"]
        try:
            await self._engine.search(index, {"size": 0, "query": query})
        except EngineRejected as error:
            if error.status == 404:
                raise
            return False
        return True
