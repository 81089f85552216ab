"""The window search: the first stage's top hits, with their text and, when asked, their vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectors.engine import Engine
from connectors.meta import document_text
from connectors.options import EngineKind
from connectors.rescore import Place
from plugin.ranking.hits import Hit, Vector

# What of a request decides which hits the first stage finds, and in which order.
_FIRST_STAGE = (
    "query", "post_filter", "min_score", "knn", "retriever", "indices_boost", "pit", "slice",
    "runtime_mappings", "derived", "terminate_after", "timeout", "rescore",
)  # fmt: skip
_SEPARATOR = "\x1f"  # joins index and id; neither can hold it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of each hit to fetch.

    ``vectors`` is for how many of the first hits the stored vector is wanted.
    """

    size: int
    text_fields: tuple[str, ...]
    vector_field: str
    vectors: int = 0


@dataclass(frozen=True, slots=True)
class WindowHit:
    """A hit of the first stage and where it is kept."""

    place: Place
    hit: Hit


def window_body(body: Mapping[str, Any], wanted: Wanted, kind: EngineKind) -> dict[str, Any]:
    """The window search's body: the first stage of ``body``, and nothing else of it."""
    search = {name: body[name] for name in _FIRST_STAGE if name in body}
    search |= {
        "from": 0,
        "size": wanted.size,
        "track_total_hits": False,
        "_source": list(wanted.text_fields),
    }
    if wanted.vectors:
        search |= _vector_fields(kind, wanted)
    return search


def _vector_fields(kind: EngineKind, wanted: Wanted) -> dict[str, Any]:
    """Stored vectors, by the cheapest way that needs no script."""
    if kind is EngineKind.ELASTICSEARCH:
        return {"docvalue_fields": [wanted.vector_field]}
    # Under a `_source` filter `fields` comes back without the vector, so the text comes by it too.
    return {"_source": False, "fields": [*wanted.text_fields, wanted.vector_field]}


async def window_search(
    engine: Engine,
    index: str,
    body: Mapping[str, Any],
    wanted: Wanted,
    params: Mapping[str, Any] | None = None,
) -> list[WindowHit]:
    """The first ``wanted.size`` hits of ``body``'s first stage, best first.

    Raises:
        EngineError: the engine cannot be reached or refuses the search.
    """
    search = window_body(body, wanted, engine.kind)
    # The index's default search pipeline would rerank the window that is about to be reranked.
    own = {"search_pipeline": "_none"} if engine.kind is EngineKind.OPENSEARCH else {}
    answer = await engine.search(index, search, params={**(params or {}), **own})
    found = answer["hits"]["hits"]
    several = len({hit["_index"] for hit in found}) > 1
    return [_window_hit(raw, rank, wanted, several) for rank, raw in enumerate(found)]


def _window_hit(raw: Mapping[str, Any], rank: int, wanted: Wanted, several: bool) -> WindowHit:
    place = Place(raw["_index"], raw["_id"])
    values = {**raw.get("fields", {}), **(raw.get("_source") or {})}
    hit = Hit(
        id=_SEPARATOR.join((place.index, place.id)) if several else place.id,
        score=float(raw["_score"] or 0.0),
        text=document_text(values, wanted.text_fields) or None,
        vector=_vector(values.get(wanted.vector_field)) if rank < wanted.vectors else None,
    )
    return WindowHit(place, hit)


def _vector(value: Any) -> Vector | None:
    """The stored vector in either of the engines' forms; None where there is none."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list | dict):
        value = value[0]
    if not isinstance(value, list) or not value:
        return None
    vector = np.asarray(value, dtype=np.float32)
    return vector if vector.ndim == 1 and np.isfinite(vector).all() and vector.any() else None
