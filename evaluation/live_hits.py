"""First-stage hits of an index that is there, with its own texts and stored vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.engine import Engine
from connectors.index import catalogue_of
from connectors.search_options import PassThrough
from connectors.target import Target, find_target
from connectors.window import Wanted, WindowHit, window_search
from evaluation import live_index
from evaluation.collection import Collection
from evaluation.live_index import LiveIndex
from evaluation.memory import Hits, Track, untracked
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Hit


async def live_hits(
    engine: Engine,
    live: LiveIndex,
    collection: Collection,
    fingerprint: str,
    k: int,
    track: Track = untracked,
) -> Hits:
    """The top ``k`` of each query with text, and with vectors that are of ``fingerprint``.

    Raises:
        SettingsError: the index has no usable vectors, or those of another model.
        EngineError: the engine failed.
    """
    searched = await live_index.searched(engine, live)
    try:
        target = await find_target(engine, catalogue_of(engine), live.name, searched.options)
    except PassThrough as passed:
        raise passed.error or SettingsError(
            f"{live.name} cannot be reranked: {passed.reason}"
        ) from passed
    _check_model(live.name, target, fingerprint)
    advance = track("Searching the first stage", len(collection.queries))
    wanted = Wanted(texts=k, hits=k, vectors=k)
    hits = {}
    for query, text in collection.queries.items():
        body = searched.body(text, k)
        found = await window_search(engine, live.name, body, wanted, target, searched.params)
        hits[query] = _hits(found, fingerprint)
        advance(1)
    return hits


def _check_model(index: str, target: Target, fingerprint: str) -> None:
    """An index that does not say is taken at its word, as searches of it are."""
    if target.fingerprint not in {None, "", fingerprint}:
        raise SettingsError(
            f"the vectors of {index} are of {target.fingerprint}, and the model of the settings "
            f"makes {fingerprint}; set model.name to the index's model"
        )


def _hits(found: Sequence[WindowHit], fingerprint: str) -> tuple[Hit, ...]:
    """By the ids of the judgments; a stale vector is no vector, as in a search."""
    by_id: dict[str, Hit] = {}
    for one in found:
        usable = one.fingerprint in {None, fingerprint}
        hit = replace(one.hit, id=one.place.id, vector=one.hit.vector if usable else None)
        by_id.setdefault(one.place.id, hit)  # behind an alias several indices may hold an id
    return tuple(by_id.values())
