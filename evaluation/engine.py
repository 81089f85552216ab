"""Evaluation through a real engine: an index of the collection, its first stage, real searches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from connectors.engine import Engine
from connectors.meta import TEXT_FIELDS, IndexMeta, vector_hash
from connectors.query_text import text_query
from connectors.search import OnFailure, Searcher, SearchOptions, SearchResult
from connectors.sidecar import SidecarClient
from evaluation.collections import Collection, Document
from evaluation.memory import Track, untracked
from evaluation.runs import ScoredDocument
from evaluation.strategies import Variant
from ingest.bulk import BulkOptions, BulkWriter, Write, write
from ingest.embedders import DocumentEmbedder
from ingest.index import find_index, refresh
from pipelines.definitions import index_body
from plugin.ranking.errors import EngineRejected

PREFIX = "rankside-eval-"
STANDARD = "standard"
_COMPLETE = "rankside_eval"
_AT_ONCE = 64
_WARM_UP = 1
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """An index of a collection; the name says what is in it, so that a second run finds it.

    ``analyzer`` is the engine's text analyzer. Without ``meta`` no vectors are stored.
    """

    collection: Collection
    analyzer: str
    meta: IndexMeta | None

    @property
    def name(self) -> str:
        """Changes with the documents, the model and the analyzer."""
        digest = hashlib.sha256()
        for document in self.collection.documents.values():
            digest.update(json.dumps([document.id, dict(document.source)]).encode())
        fingerprint = self.meta.fingerprint if self.meta else ""
        digest.update(f"{self.analyzer} {fingerprint}".encode())
        kept = (letter if letter.isalnum() else "-" for letter in self.collection.name.lower())
        return f"{PREFIX}{''.join(kept)}-{digest.hexdigest()[:16]}"


def meta_of(embedder: DocumentEmbedder) -> IndexMeta:
    """What the index says of the embedder's vectors."""
    return IndexMeta(
        fingerprint=embedder.fingerprint,
        model=embedder.model,
        revision=embedder.revision,
        dimensions=embedder.dimensions,
    )


async def prepare(
    engine: Engine,
    collection: Collection,
    embedder: DocumentEmbedder | None,
    *,
    analyzer: str = STANDARD,
    track: Track = untracked,
) -> str:
    """The name of an index that holds ``collection``, made now unless a complete one is there.

    Raises:
        EngineError: the engine failed or refused a document.
        SidecarError, ModelError: the embedder failed.
    """
    index = IndexPlan(collection, analyzer, meta_of(embedder) if embedder else None)
    found = await find_index(engine, index.name)
    if found is not None and found.mappings.get("_meta", {}).get(_COMPLETE):
        return index.name
    if found is not None:  # a run that was cut off left it
        await engine.request("DELETE", f"/{index.name}")
    body = _index_body(engine, index)
    await engine.request("PUT", f"/{index.name}", body=body)
    await _fill(engine, index, embedder, track)
    await refresh(engine, index.name)
    meta = {**body["mappings"].get("_meta", {}), _COMPLETE: len(collection.documents)}
    await engine.request("PUT", f"/{index.name}/_mapping", body={"_meta": meta})
    return index.name


async def drop(engine: Engine, index: str) -> None:
    """Remove an index of `prepare`; it is fine if it is not there."""
    try:
        await engine.request("DELETE", f"/{index}")
    except EngineRejected as error:
        if error.status != _NOT_FOUND:
            raise


def query_body(text: str, k: int) -> dict[str, Any]:
    """The first stage: the query that `rankside search` makes of a plain text."""
    query = text_query(text, TEXT_FIELDS)
    return {"size": k, "_source": False, "track_total_hits": False, "query": query}


def excluding(body: Mapping[str, Any], ids: Iterable[str]) -> dict[str, Any]:
    """``body``, so that no document of ``ids`` is found by it."""
    without = sorted(ids)
    if not without:
        return dict(body)
    barred = {"must": body["query"], "must_not": {"ids": {"values": without}}}
    return {**body, "query": {"bool": barred}}


@dataclass(frozen=True, slots=True)
class Searched:
    """What queries are sent to: an index, and the request for so many hits that a text becomes.

    ``options`` are those of every search, beside what a strategy says.
    """

    index: str
    body: Callable[[str, int], dict[str, Any]] = query_body
    options: SearchOptions = field(default_factory=SearchOptions)
    params: Mapping[str, str] = field(default_factory=dict)


async def first_stage(
    engine: Engine,
    index: str | Searched,
    collection: Collection,
    k: int,
    track: Track = untracked,
) -> dict[str, list[ScoredDocument]]:
    """The engine's own top ``k`` of each query, less what is excluded for it."""
    searched = Searched(index) if isinstance(index, str) else index
    advance = track("Searching the first stage", len(collection.queries))
    run: dict[str, list[ScoredDocument]] = {}
    for query, text in collection.queries.items():
        body = excluding(searched.body(text, k), collection.excluded.get(query, ()))
        run[query] = _documents(await engine.search(searched.index, body, params=searched.params))
        advance(1)
    return run


async def search_all(
    engine: Engine,
    sidecar: SidecarClient,
    searched: Searched,
    collection: Collection,
    variant: Variant,
    *,
    k: int,
    track: Track = untracked,
) -> dict[str, SearchResult]:
    """Every query reranked by ``variant`` as a user's search is, one after another.

    The first goes ahead once unmeasured: connections are opened by it, and mappings read.

    Raises:
        EngineError: the engine failed. A failure of the sidecar is a status, not an error.
    """
    queries, excluded = collection.queries, collection.excluded
    advance = track(f"Searching with {variant.label}", len(queries))
    searcher = Searcher(engine, sidecar)
    options = replace(
        searched.options,
        strategy=variant.strategy,
        window=variant.window or k,
        fusion=variant.fusion,
        prompt_hits=variant.prompt_hits,
        on_failure=OnFailure.PASS_THROUGH,
    )

    async def search(query: str, text: str) -> SearchResult:
        asked = replace(options, query_text=text)
        body = excluding(searched.body(text, k), excluded.get(query, ()))
        return await searcher.search(searched.index, body, asked, params=searched.params)

    results: dict[str, SearchResult] = {}
    for query, text in islice(queries.items(), _WARM_UP):
        await search(query, text)
    for query, text in queries.items():
        results[query] = await search(query, text)
        advance(1)
    return results


def documents_of(result: SearchResult) -> list[ScoredDocument]:
    """The hits of a search's response."""
    return _documents(result.body)


def _documents(answer: Mapping[str, Any]) -> list[ScoredDocument]:
    found: dict[str, ScoredDocument] = {}
    for hit in answer["hits"]["hits"]:  # behind an alias several indices may hold an id
        found.setdefault(hit["_id"], ScoredDocument(hit["_id"], hit["_score"] or 0.0))
    return list(found.values())


def _index_body(engine: Engine, index: IndexPlan) -> dict[str, Any]:
    text = {"type": "text", "analyzer": index.analyzer}
    extra = dict.fromkeys(TEXT_FIELDS, text)
    if index.meta is not None:
        return index_body(engine.kind, index.meta, replicas=0, extra=extra)
    settings = {"index": {"number_of_shards": 1, "number_of_replicas": 0}}
    return {"settings": settings, "mappings": {"properties": extra}}


async def _fill(
    engine: Engine, index: IndexPlan, embedder: DocumentEmbedder | None, track: Track
) -> None:
    documents = list(index.collection.documents.values())
    advance = track(f"Indexing {index.collection.name}", len(documents))
    writer = BulkWriter(engine, index.name, BulkOptions(), lambda _: None)
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        writes = await _writes(some, embedder, index.meta)
        for _, item in await writer.send(writes):
            if item.error is not None:
                raise EngineRejected(
                    f"the engine refused document {item.id!r} of {index.collection.name} "
                    f"({item.error}); correct it in corpus.jsonl",
                    status=item.status,
                )
        advance(len(some))


async def _writes(
    documents: list[Document], embedder: DocumentEmbedder | None, meta: IndexMeta | None
) -> list[Write]:
    if embedder is None or meta is None:
        return [write(_action(one), dict(one.source)) for one in documents]
    # An empty document has nothing to embed; it keeps its first-stage place, as ingest does it.
    full = [one for one in documents if one.text]
    vectors = list(await embedder.embed([one.text for one in full])) if full else []
    by_id = {one.id: vector for one, vector in zip(full, vectors, strict=True)}
    return [
        write(
            _action(one),
            {**one.source, meta.hash_field: vector_hash(meta.fingerprint, one.text)},
            vector=(meta.vector_field, by_id[one.id]) if one.id in by_id else None,
        )
        for one in documents
    ]


def _action(document: Document) -> dict[str, Any]:
    return {"index": {"_id": document.id}}
