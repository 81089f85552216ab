"""Where training queries and their first stages come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.engine import Engine
from connectors.index import IndexCatalogue
from connectors.query_text import text_query
from connectors.search_options import PassThrough, SearchOptions
from connectors.target import Target, find_target
from connectors.window import Wanted, WindowHit, window_search
from evaluation import engine as through_engine
from evaluation.collections import Collection, Document
from evaluation.memory import Hits, Track, untracked
from evaluation.runs import Run
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Hit, Strategy
from plugin.ranking.profile import ModelProfile

_TEXT = "text"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A judged collection and the first ``window`` hits of each of its queries.

    Of a team's own index, the hits carry the vectors that it has stored, and the collection holds
    the documents that were found.
    """

    collection: Collection
    hits: Hits


async def engine_run(
    engine: Engine,
    collection: Collection,
    window: int,
    *,
    analyzer: str = through_engine.STANDARD,
    track: Track = untracked,
) -> Run:
    """The first stage of an engine that ``collection`` is indexed in for this, without vectors.

    Raises:
        EngineError: the engine failed or refused a document.
    """
    index = await through_engine.prepare(engine, collection, None, analyzer=analyzer, track=track)
    return await through_engine.first_stage(engine, index, collection, window, track)


async def index_source(
    engine: Engine,
    index: str,
    judged: Collection,
    window: int,
    profile: ModelProfile,
    track: Track = untracked,
) -> Source:
    """A team's own index, with ``judged``: queries and judgments, its documents left aside.

    Stored vectors that are of ``profile``'s model come with the hits. What is judged relevant but
    not among a query's first ``window`` hits is not trained on.

    Raises:
        SettingsError: a file is missing or wrong, or nothing says where the index has its text.
        EngineError: the engine cannot be reached, or refuses.
    """
    queries = judged.queries
    target = await _target(engine, index)
    advance = track(f"Searching {index}", len(queries))
    hits: dict[str, tuple[Hit, ...]] = {}
    for query, text in queries.items():
        body = {"query": text_query(text, target.text_fields)}
        wanted = Wanted(texts=window, hits=window, vectors=window)
        found = await window_search(engine, index, body, wanted, target)
        hits[query] = tuple(_hit(one, target, profile) for one in found)
        advance(1)
    return Source(replace(judged, name=index, documents=_documents(hits)), hits)


async def _target(engine: Engine, index: str) -> Target:
    # InsertRank is what needs a text and no vectors: those that are lacking are made here.
    options = SearchOptions(strategy=Strategy.INSERTRANK)
    try:
        return await find_target(engine, IndexCatalogue(), index, options)
    except PassThrough as refused:
        error = refused.error or SettingsError(f"{index} cannot be read: {refused.reason}")
        raise error from refused


def _hit(one: WindowHit, target: Target, profile: ModelProfile) -> Hit:
    """The hit under its own id, with its vector where that is the model's."""
    made_of = one.fingerprint or target.fingerprint
    vector = one.hit.vector if made_of == profile.fingerprint else None
    return replace(one.hit, id=one.place.id, vector=vector)


def _documents(hits: Mapping[str, tuple[Hit, ...]]) -> dict[str, Document]:
    found = {hit.id: hit.text for some in hits.values() for hit in some if hit.text}
    return {id_: Document(id_, {_TEXT: text}) for id_, text in found.items()}
