"""The window search: the first stage's top hits, with their text and, when asked, their vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectors.engine import Engine
from connectors.index import own_search
from connectors.meta import document_text
from connectors.options import EngineKind
from connectors.rescore import Place, VectorClause, among
from connectors.target import Target
from plugin.ranking.hits import Hit, Vector

# What of a request decides which hits the first stage finds, and in which order.
_FIRST_STAGE = (
    "query", "knn", "post_filter", "min_score", "indices_boost", "pit", "slice", "rescore",
    "runtime_mappings", "derived", "terminate_after", "timeout",
)  # fmt: skip
_FIRST_STAGE_PARAMS = frozenset({
    "routing", "preference", "search_type", "ignore_unavailable", "allow_no_indices",
    "expand_wildcards", "ignore_throttled", "allow_partial_search_results", "request_cache",
    "ccs_minimize_roundtrips", "max_concurrent_shard_requests", "pre_filter_shard_size",
    "q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient",
    "terminate_after", "timeout",
})  # fmt: skip

# Characters; far more than a prompt takes of a passage, so that no book makes a call too large.
_LONGEST_TEXT = 65_536


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many of the first hits are wanted: with their text, at all, and with their vector."""

    texts: int
    hits: int
    vectors: int = 0


@dataclass(frozen=True, slots=True)
class WindowHit:
    """A hit of the first stage and where it is kept.

    ``fingerprint`` is what its vector is of: "" where nothing says so, as for a document without
    one; None where the index says so of no document.
    """

    place: Place
    hit: Hit
    fingerprint: str | None = None


async def window_search(
    engine: Engine,
    index: str,
    body: Mapping[str, Any],
    wanted: Wanted,
    target: Target,
    params: Mapping[str, Any] | None = None,
) -> list[WindowHit]:
    """The first hits of ``body``'s first stage, best first.

    Texts, places and vectors are wanted of different numbers of hits, so they are up to three
    searches side by side: no more text or vectors travel than will be used.

    Raises:
        EngineError: the engine cannot be reached or refuses a search.
    """
    texts = {"_source": list(target.text_fields)} if wanted.texts else {"_source": False}
    sizes = [(wanted.texts or wanted.hits, texts)]
    if wanted.hits > wanted.texts > 0:
        sizes.append((wanted.hits, {"_source": False}))
    if wanted.vectors:
        sizes.append((wanted.vectors, vector_fields(engine.kind, target.vector_field)))
    sent = window_params(engine.kind, params or {})
    answers = await asyncio.gather(
        *(
            engine.search(index, window_body(body, size, fetched, target), params=sent)
            for size, fetched in sizes
        )
    )
    raw = [list(answer["hits"]["hits"]) for answer in answers]
    longest = max(raw, key=len)
    return window_hits(longest, [hit for hits in raw for hit in hits], target)


def window_body(
    body: Mapping[str, Any], size: int, fetched: Mapping[str, Any], target: Target
) -> dict[str, Any]:
    """A search of the first stage of ``body`` and nothing else of it, fetching ``fetched``."""
    search = {name: body[name] for name in _FIRST_STAGE if name in body}
    search |= {"from": 0, "size": size, "track_total_hits": False, **fetched}
    if target.hash_field:
        search["docvalue_fields"] = [*fetched.get("docvalue_fields", ()), target.hash_field]
    return search


def window_params(kind: EngineKind, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that decide the first stage."""
    kept = {name: value for name, value in params.items() if name in _FIRST_STAGE_PARAMS}
    return kept | own_search(kind)


def vector_fields(kind: EngineKind, field: str) -> dict[str, Any]:
    """What fetches stored vectors on an engine, and nothing else, without a script.

    Neither has them in ``_source`` by default. OpenSearch has no doc values of them, and returns
    them by ``fields`` only where ``_source`` is not filtered by fields.
    """
    if kind is EngineKind.ELASTICSEARCH:
        return {"_source": False, "docvalue_fields": [field]}
    return {"_source": False, "fields": [field]}


def window_hits(
    ordered: Sequence[Mapping[str, Any]], fetched: Sequence[Mapping[str, Any]], target: Target
) -> list[WindowHit]:
    """The hits of ``ordered``, once each, with what ``fetched`` has of them."""
    texts: dict[Place, str] = {}
    vectors: dict[Place, Vector] = {}
    for raw in fetched:
        place = place_of(raw)
        if text := document_text(raw.get("_source") or {}, target.text_fields):
            texts[place] = text[:_LONGEST_TEXT]
        vector = sound_vector(raw.get("fields", {}).get(target.vector_field), target)
        if vector is not None:
            vectors[place] = vector
    first: dict[Place, Mapping[str, Any]] = {}
    for raw in ordered:
        first.setdefault(place_of(raw), raw)
    return [
        WindowHit(
            place,
            Hit(f"{place.index}/{place.id}", _score(raw), texts.get(place), vectors.get(place)),
            _fingerprint(raw, target.hash_field),
        )
        for place, raw in first.items()
    ]


def place_of(raw: Mapping[str, Any]) -> Place:
    """Where a hit of a response is kept."""
    return Place(raw["_index"], raw["_id"])


async def add_texts(
    engine: Engine, index: str, hits: Sequence[WindowHit], target: Target
) -> list[WindowHit]:
    """``hits`` with their text, by one search for those that have none."""
    places = [one.place for one in hits if one.hit.text is None]
    if not places:
        return list(hits)
    fetched: dict[str, Any] = {"_source": list(target.text_fields)}
    if target.hash_field:
        fetched["docvalue_fields"] = [target.hash_field]
    raw = await _by_places(engine, index, places, fetched)
    known = {one.place: one for one in window_hits(raw, raw, target)}
    return [
        replace(
            one,
            hit=replace(one.hit, text=known[one.place].hit.text),
            fingerprint=known[one.place].fingerprint,
        )
        if one.place in known
        else one
        for one in hits
    ]


async def add_vectors(
    engine: Engine, index: str, hits: Sequence[WindowHit], target: Target
) -> list[WindowHit]:
    """``hits`` with their stored vector where it is sound, and its fingerprint, by one search."""
    fetched = vector_fields(engine.kind, target.vector_field)
    if target.hash_field:
        fetched["docvalue_fields"] = [*fetched.get("docvalue_fields", ()), target.hash_field]
    raw = await _by_places(engine, index, [one.place for one in hits], fetched)
    known = {one.place: one for one in window_hits(raw, raw, target)}
    return [
        replace(
            one,
            hit=replace(one.hit, vector=known[one.place].hit.vector),
            fingerprint=known[one.place].fingerprint,
        )
        if one.place in known
        else one
        for one in hits
    ]


async def clause_scores(
    engine: Engine, index: str, places: Sequence[Place], clause: VectorClause
) -> dict[Place, float]:
    """``1 + cos`` of those of ``places`` that have a vector, as the rescore would compute it."""
    query = {"bool": {"filter": [among(places)], "must": [clause.query]}}
    raw = await _search(engine, index, {"query": query, "size": len(places), "_source": False})
    return {place_of(one): _score(one) * clause.unit for one in raw}


async def _by_places(
    engine: Engine, index: str, places: Sequence[Place], fetched: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return await _search(engine, index, {"query": among(places), "size": len(places), **fetched})


async def _search(engine: Engine, index: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    sent = {**body, "track_total_hits": False}
    answer = await engine.search(index, sent, params=own_search(engine.kind))
    found: list[dict[str, Any]] = answer["hits"]["hits"]
    return found


def sound_vector(value: Any, target: Target) -> Vector | None:
    """A stored vector in either engine's form, float32 (dimensions,).

    None where there is none, or it has another length than the field, a NaN, or no direction.
    """
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not value:
        return None
    try:
        with np.errstate(over="ignore"):
            vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):  # a field of something else than numbers
        return None
    dimensions = target.vectors.dimensions or vector.size
    sound = vector.shape == (dimensions,) and np.isfinite(vector).all() and vector.any()
    return vector if sound else None


def _score(raw: Mapping[str, Any]) -> float:
    return float(raw.get("_score") or 0.0)


def _fingerprint(raw: Mapping[str, Any], field: str | None) -> str | None:
    if field is None:
        return None
    values = raw.get("fields", {}).get(field) or [""]
    return str(values[0]).partition(":")[0]
