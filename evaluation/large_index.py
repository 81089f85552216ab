"""An index of real size whose texts and vectors are made up: for speed only their number matters.

Kept in the engine from one run to the next, since making it takes minutes.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from connectors.engine import Engine
from connectors.meta import TEXT_FIELDS
from connectors.query_text import text_query
from evaluation import engine as through_engine
from evaluation.collections import Collection, Document
from evaluation.memory import Track, untracked
from evaluation.zipf import ZipfText
from plugin.ranking.errors import EngineUnavailable, SettingsError

PASSAGE_WORDS = 120
_TITLE_WORDS = 6
_TRIES = 5
_POLL = 0.5
_MERGE_TIMEOUT = 900.0


@dataclass(slots=True)
class MadeVectors:
    """A `DocumentEmbedder` of random unit vectors, in the name of a model; a search costs the same.

    A text has the same vector every time, and different texts have different ones.
    """

    fingerprint: str
    model: str
    revision: str
    dimensions: int
    parallel: int = 1

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions)."""
        seeds = [zlib.crc32(text.encode()) for text in texts]
        drawn = np.array(
            [np.random.default_rng(seed).standard_normal(self.dimensions) for seed in seeds]
        )
        vectors: npt.NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return vectors.astype(np.float32)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class IndexShape:
    """What a search had to work on; ``segments`` as bulk writes and merges left them."""

    name: str
    documents: int
    segments: int
    megabytes: int


async def large_index(
    engine: Engine, documents: int, vectors: MadeVectors, track: Track = untracked
) -> IndexShape:
    """An index of ``documents`` made-up passages on one shard, made now if it is not there.

    Raises:
        EngineError: the engine failed, or was still merging after 15 minutes.
    """
    text = ZipfText()
    made = {
        str(number): Document(
            str(number),
            {
                "title": text.passage(documents + number, _TITLE_WORDS),
                "text": text.passage(number, PASSAGE_WORDS),
            },
        )
        for number in range(documents)
    }
    collection = Collection(f"bench-{vectors.dimensions}", "none", made, {}, {})
    name = await through_engine.prepare(engine, collection, vectors, track=track)
    await _merged(engine, name)
    stats = await engine.request("GET", f"/{name}/_stats/docs,segments,store")
    total = stats["_all"]["primaries"]
    return IndexShape(
        name,
        total["docs"]["count"],
        total["segments"]["count"],
        round(total["store"]["size_in_bytes"] / 1e6),
    )


async def queries_with(engine: Engine, index: str, hits: int, count: int) -> list[str]:
    """The first ``count`` made-up queries that find at least so many hits.

    Raises:
        EngineError: the engine failed.
        SettingsError: too few find so many.
    """
    text, found = ZipfText(), list[str]()
    for number in range(_TRIES * count):
        query = text.query(number)
        body = {
            "query": text_query(query, TEXT_FIELDS),
            "size": 0,
            "track_total_hits": hits,
        }
        answer = await engine.search(index, body)
        if answer["hits"]["total"]["value"] >= hits:
            found.append(query)
        if len(found) == count:
            return found
    raise SettingsError(f"too few queries find {hits} hits; measure with more documents")


async def _merged(engine: Engine, index: str) -> None:
    deadline = time.monotonic() + _MERGE_TIMEOUT
    while time.monotonic() < deadline:
        stats = await engine.request("GET", f"/{index}/_stats/merge")
        if stats["_all"]["primaries"]["merges"]["current"] == 0:
            return
        await asyncio.sleep(_POLL)
    raise EngineUnavailable(
        f"{index} was still merging after {_MERGE_TIMEOUT:.0f} s; run again when it is done"
    )
