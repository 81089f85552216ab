"""What a search has to know of an index and of its cluster, asked once in a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from connectors.engine import Engine, index_path
from connectors.mapping import DIMENSIONS, field_mapping
from connectors.meta import IndexMeta
from connectors.options import EngineKind
from connectors.rescore import by_script
from plugin.ranking.errors import EngineRejected

Value = TypeVar("Value")

TTL = 15.0
"""Seconds a mapping is used for: how long a change may go unseen."""
_SCRIPTS_TTL = 600.0
_UNKNOWN = 0.0


@dataclass(frozen=True, slots=True)
class VectorField:
    """How an index holds its document vectors.

    ``exact_knn`` says that a k-NN query scores them ``(1 + cos) / 2``; ``quantized`` that it takes
    shortened vectors for that unless asked otherwise.
    """

    dimensions: int | None
    exact_knn: bool
    quantized: bool


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """One concrete index: its properties, and what Rankside wrote into its mapping."""

    name: str
    meta: IndexMeta | None
    properties: Mapping[str, Any]

    def field(self, name: str) -> Mapping[str, Any] | None:
        """The mapping of the field ``name`` (dotted for one inside another); None without it."""
        return field_mapping({"properties": self.properties}, name)


class IndexCatalogue:
    """What was learned of one engine; answers are kept for a while."""

    def __init__(self, ttl: float = TTL) -> None:
        self._ttl = ttl
        self._kept: dict[str, tuple[float, object]] = {}

    async def facts(self, engine: Engine, index: str) -> tuple[IndexFacts, ...]:
        """The indices behind ``index``, by name.

        Raises:
            EngineError: the engine cannot be reached, or does not show its mappings.
            SettingsError: a ``_meta.rankside`` is broken.
        """
        return await self._once(f"facts:{index}", lambda: _facts(engine, index))

    async def script_unit(
        self, engine: Engine, index: str, field: str, dimensions: int
    ) -> float | None:
        """What the vector script's score times is ``1 + cos``; None where scripts do not run."""
        key = "script_unit"
        unit = await self._once(
            key, lambda: _script_unit(engine, index, field, dimensions), _SCRIPTS_TTL
        )
        if unit == _UNKNOWN:
            self._kept.pop(key, None)
            return 1.0  # nothing has a vector, so nothing will be scored
        return unit

    def forget(self, index: str) -> None:
        """Ask again: what is known of ``index`` was seen to be wrong."""
        self._kept.pop(f"facts:{index}", None)

    async def _once(
        self, key: str, ask: Callable[[], Awaitable[Value]], ttl: float | None = None
    ) -> Value:
        known = self._kept.get(key)
        if known is None or time.monotonic() - known[0] > (ttl or self._ttl):
            known = (time.monotonic(), await ask())
            self._kept[key] = known
        return known[1]  # type: ignore[return-value] # what ask() gave under this key


_catalogues: WeakKeyDictionary[Engine, IndexCatalogue] = WeakKeyDictionary()


def catalogue_of(engine: Engine) -> IndexCatalogue:
    """The catalogue that every search of ``engine`` shares; it lives as long as the engine."""
    return _catalogues.setdefault(engine, IndexCatalogue())


def own_search(kind: EngineKind) -> dict[str, str]:
    """Parameters of a search of ours: an index's default search pipeline is for its users.

    It may rerank, with us even.
    """
    return {"search_pipeline": "_none"} if kind is EngineKind.OPENSEARCH else {}


def vector_field(kind: EngineKind, mapping: Mapping[str, Any]) -> VectorField:
    """Read the mapping of a vector field."""
    if kind is EngineKind.OPENSEARCH:
        space = mapping.get("method", {}).get("space_type") or mapping.get("space_type")
        return VectorField(mapping.get(DIMENSIONS[kind]), space == "cosinesimil", quantized=False)
    similarity = mapping.get("similarity", "cosine")
    exact = mapping.get("index", True) is not False and similarity in {"cosine", "dot_product"}
    graph = mapping.get("index_options", {}).get("type", "")
    return VectorField(
        mapping.get(DIMENSIONS[kind]), exact, quantized=graph not in {"hnsw", "flat"}
    )


async def _facts(engine: Engine, index: str) -> tuple[IndexFacts, ...]:
    answer = await engine.request("GET", f"{index_path(index)}/_mapping")
    return tuple(
        IndexFacts(
            name, IndexMeta.of_mapping(one["mappings"]), one["mappings"].get("properties", {})
        )
        for name, one in sorted(answer.items())
    )


async def _script_unit(engine: Engine, index: str, field: str, dimensions: int) -> float | None:
    """Score any one document by a vector and by its opposite: the sum is twice the script's 1.

    OpenSearch's script gives ``1 + cos`` before version 2.19 and ``(1 + cos) / 2`` since
    (opensearch-project/k-NN, issue 2561), and versions are not always what clusters say they are.
    """
    vector = np.full(dimensions, dimensions**-0.5, dtype=np.float32)
    both = [by_script(engine.kind, field, one, 1.0).query for one in (vector, -vector)]
    query = {"bool": {"must": both}}
    search = {"query": query, "size": 1, "terminate_after": 1, "_source": False}
    try:
        answer = await engine.search(index, search, params=own_search(engine.kind))
    except EngineRejected as error:
        if error.status in {401, 404}:
            raise
        return None
    if answer["_shards"]["failed"]:
        return None
    hits = answer["hits"]["hits"]
    return float(round(2 / hits[0]["_score"])) if hits else _UNKNOWN
