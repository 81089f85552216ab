"""Reranking and embedding, by Rankside and by what others would use, timed in turns.

Texts are new in every call: what a server remembers helps nobody.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from sentence_transformers import CrossEncoder, SentenceTransformer

from connectors.sidecar import SidecarClient
from evaluation.synthetic import passages, unit_vectors, words
from evaluation.timing import Budget, Call, Sample, interleaved, timed
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ListwiseCall, ModelCard, RankCall, WireFusion, WireHit

WINDOWS = (20, 100, 400)
BATCHES, CROWDS = (1, 32, 512), (1, 8, 64)
MOST_TEXTS = 2048
"""Texts under way at once; more than that is a queue's length rather than a server's speed."""
PASSAGE_WORDS = 120
EMBEDDED, CROSS = "minilm", "cross-encoder"
RANKSIDE, INFINITY, PLAIN = "rankside", "infinity-emb", "sentence-transformers"
TIMEOUT = 600.0
_BODIES = 512
Embed = Callable[[Sequence[str]], Awaitable[None]]


class Texts:
    """Passages that nobody has seen before: each begins with a number of its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._bodies = passages(_BODIES, length=PASSAGE_WORDS)

    def some(self, count: int) -> list[str]:
        """So many of them."""
        numbers = itertools.islice(self._numbers, count)
        return [f"{number} {self._bodies[number % _BODIES]}" for number in numbers]


@dataclass(frozen=True, slots=True)
class Embedder:
    """A server that embeds at `POST /v1/embeddings`, and what it calls the model."""

    http: httpx.AsyncClient
    model: str

    async def embed(self, texts: Sequence[str]) -> None:
        """Have it done; raises httpx.HTTPStatusError where it refuses."""
        body = {"model": self.model, "input": texts, "encoding_format": "base64"}
        (await self.http.post("/v1/embeddings", json=body)).raise_for_status()


@dataclass(frozen=True, slots=True)
class Compared:
    """Rankside's sidecar by its native calls, all servers that embed, and models in this process.

    ``scorer`` is a cross-encoder.
    """

    sidecar: SidecarClient
    card: ModelCard
    embedders: Mapping[str, Embedder]
    encoder: SentenceTransformer
    scorer: CrossEncoder


async def rerank(compared: Compared, window: int, budget: Budget) -> dict[str, Sample]:
    """A query and ``window`` hits in order, each way in turn.

    ``stored vectors`` is one listwise prompt of 20 hits, which the engine then compares with the
    vectors in its index; ``stored vectors sent`` also sends those of the window and takes the order
    back. The published pipeline encodes the prompt and every hit, by sentence-transformers.
    """
    texts, card = Texts(), compared.card
    vectors = [to_base64(vector) for vector in unit_vectors(window, card.dimensions)]

    async def listwise(number: int) -> None:
        hits = _hits(texts.some(min(window, card.prompt_hits)))
        await compared.sidecar.listwise(
            ListwiseCall(query=_query(number), hits=hits, fusion=WireFusion(listwise=1.0))
        )

    async def sent(number: int) -> None:
        await compared.sidecar.rank(
            RankCall(
                query=_query(number),
                hits=_hits(texts.some(window), vectors),
                fusion=WireFusion(listwise=1.0),
                vector_fingerprint=card.fingerprint,
            )
        )

    async def published(number: int) -> None:
        found = texts.some(window)
        prompt = "\n".join([*found[:20], _query(number)])
        rows = _encoded(compared.encoder, [prompt, *found])
        np.argsort(-(rows[1:] @ rows[0]))

    async def cross(number: int) -> None:
        compared.scorer.predict(
            [(_query(number), text) for text in texts.some(window)], show_progress_bar=False
        )

    calls: dict[str, Call] = {
        "rankside, stored vectors": listwise,
        "rankside, stored vectors sent": sent,
        "published pipeline, sentence-transformers": published,
        "cross-encoder, sentence-transformers": cross,
    }
    if (peer := compared.embedders.get(INFINITY)) is not None:
        calls["cross-encoder, infinity-emb"] = _reranking(peer.http, texts, window)
    return await interleaved(calls, budget)


async def embed(compared: Compared, budget: Budget) -> dict[str, dict[str, Any]]:
    """Documents a second by batch and concurrency, each server and sentence-transformers itself."""
    rows: dict[str, dict[str, Any]] = {}
    texts = Texts()

    async def plain(some: Sequence[str]) -> None:
        _encoded(compared.encoder, some)

    for batch, crowd in itertools.product(BATCHES, CROWDS):
        if batch * crowd > MOST_TEXTS:
            continue
        ways: dict[str, Embed] = {name: one.embed for name, one in compared.embedders.items()}
        if crowd == 1:
            ways[PLAIN] = plain
        for name, way in ways.items():
            sample = await timed(_calling(way, texts, batch), budget, concurrency=crowd, warm=1)
            rate = round(sample.per_second * batch, 1)
            row = f"{name}: {batch} texts, {crowd} at a time"
            rows[row] = {**sample.to_json(), "documents_per_second": rate}
    return rows


async def open_loop(server: Embedder, rate: float, seconds: float, seed: int = 7) -> dict[str, Any]:
    """Latency of single texts that arrive at ``rate`` a second, whoever is still waiting.

    Arrivals are a Poisson process of ``seed``; the clock starts when a text was due.
    """
    due = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, int(rate * seconds)))
    texts, began = Texts(), time.perf_counter()

    async def one(after: float) -> float:
        await asyncio.sleep(after - (time.perf_counter() - began))
        await server.embed(texts.some(1))
        return (time.perf_counter() - began - after) * 1000

    spent = await asyncio.gather(*map(one, due))
    p50, p99 = np.percentile(spent, [50, 99])
    return {
        "n": len(spent),
        "rate": round(rate, 2),
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
    }


def _encoded(encoder: SentenceTransformer, texts: Sequence[str]) -> Any:
    """float32 (len(texts), dimensions), of length 1."""
    return encoder.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)


def client(url: str) -> httpx.AsyncClient:
    """A client that waits for as long as a slow machine takes."""
    limits = httpx.Limits(max_connections=max(CROWDS) * 2)
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=limits)


def _reranking(http: httpx.AsyncClient, texts: Texts, window: int) -> Call:
    async def call(number: int) -> None:
        body = {"model": CROSS, "query": _query(number), "documents": texts.some(window)}
        (await http.post("/v1/rerank", json=body)).raise_for_status()

    return call


def _calling(embed_: Embed, texts: Texts, batch: int) -> Call:
    return lambda _: embed_(texts.some(batch))


def _hits(texts: Sequence[str], vectors: Sequence[str] | None = None) -> list[WireHit]:
    return [
        WireHit(
            id=str(place),
            score=20.0 - place / 100,
            text=text,
            vector=None if vectors is None else vectors[place],
        )
        for place, text in enumerate(texts)
    ]


def _query(number: int) -> str:
    return words(4, seed=-1 - number)
