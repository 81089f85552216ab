"""What `make bench` measures: the encoder, the sidecar, whole searches, and one ratio.

Texts are made up, everything listens on 127.0.0.1, and what is compared is timed in turns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.engine import Engine
from connectors.meta import TEXT_FIELDS
from connectors.query_text import text_query
from connectors.search import Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from evaluation import engine as through_engine
from evaluation.collections import Collection, Document
from evaluation.memory import Track, untracked
from evaluation.report import latencies
from evaluation.synthetic import passages, unit_vectors, words
from evaluation.timing import Budget, Sample, interleaved, timed
from plugin.models.encoder import Encoder
from plugin.ranking.e2rank import plan
from plugin.ranking.errors import ModelOutputError
from plugin.ranking.hits import FusionWeights, Hit, RankRequest, Status
from plugin.ranking.prompts import document_input
from plugin.ranking.wire import ListwiseCall, ModelCard, RankCall, WireFusion, WireHit

WINDOW = 100
DOCUMENTS = 5_000
PASSAGE_WORDS = 120
CONCURRENCY = 8
LISTWISE = FusionWeights(listwise=1.0)


@dataclass(slots=True)
class Bench:
    """What was measured: section → name → figures; ``seconds`` bounds each section."""

    seconds: float
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, section: str, name: str, figures: Sample | dict[str, Any]) -> None:
        """Keep figures under ``section``."""
        shown = figures.to_json() if isinstance(figures, Sample) else figures
        self.sections.setdefault(section, {})[name] = shown

    def budget(self, calls: int, share: float = 1.0) -> Budget:
        """At most ``calls`` calls and ``share`` of a section's time."""
        return Budget(calls, self.seconds * share)


async def bench_encoder(bench: Bench, encoder: Encoder) -> None:
    """(a) Documents a second in batches of 32, and one listwise prompt from text to vector."""
    texts = passages(256, length=PASSAGE_WORDS)
    inputs = [document_input(encoder.profile, text) for text in texts]
    size = 32

    async def documents(number: int) -> None:
        start = number * size % len(inputs)
        encoder.encode(inputs[start : start + size])

    batch = await timed(documents, bench.budget(16, 0.5))
    figures = {**batch.to_json(), "documents_per_second": round(batch.per_second * size, 1)}
    bench.note("encoder", f"batch of {size} documents", figures)

    async def listwise(number: int) -> None:
        planned = plan(_request(texts, number), encoder.profile, encoder.tokenizer, documents=False)
        planned.listwise_vector(encoder.encode(planned.inputs).vectors)

    hits = encoder.profile.prompt_hits
    bench.note(
        "encoder", f"listwise prompt of {hits} hits", await timed(listwise, bench.budget(100, 0.5))
    )


async def bench_sidecar(bench: Bench, sidecar: SidecarClient) -> None:
    """(b) The native calls over loopback, alone and eight at a time."""
    card = await sidecar.model()
    texts = passages(WINDOW, length=PASSAGE_WORDS)
    vectors = unit_vectors(WINDOW, card.dimensions)

    async def listwise(number: int) -> None:
        await sidecar.listwise(_listwise_call(card, texts, number))

    async def rank(number: int) -> None:
        hits = [WireHit.of(hit) for hit in _hits(texts, vectors)]
        await sidecar.rank(
            RankCall(
                query=_query(number),
                hits=hits,
                fusion=WireFusion(listwise=1.0),
                vector_fingerprint=card.fingerprint,
            )
        )

    calls = {"/v1/listwise": listwise, f"/v1/rank, {WINDOW} stored vectors": rank}
    for name, call in calls.items():
        for concurrency in (1, CONCURRENCY):
            sample = await timed(call, bench.budget(200, 0.25), concurrency=concurrency)
            bench.note("sidecar", f"{name}, {concurrency} at a time", sample)


async def bench_ratio(bench: Bench, sidecar: SidecarClient, window: int = WINDOW) -> None:
    """(d) One vector from the prompt alone, against encoding the window's texts at query time."""
    card = await sidecar.model()
    # Other texts every time: the sidecar remembers texts, a stream of new documents is not helped.
    fresh = passages(window * 40, length=PASSAGE_WORDS)

    def texts(number: int) -> list[str]:
        start = number * window % len(fresh)
        return fresh[start : start + window]

    async def fast(number: int) -> None:
        await sidecar.listwise(_listwise_call(card, texts(number), number))

    async def published(number: int) -> None:
        hits = [WireHit.of(hit) for hit in _hits(texts(number))]
        call = RankCall(query=_query(number), hits=hits, fusion=WireFusion(listwise=1.0))
        answer = await sidecar.rank(call)
        if answer.usage.documents_encoded != window:
            raise ModelOutputError("the window was not encoded, so nothing was compared; run again")

    names = ("stored vectors: /v1/listwise", f"published way: {window} texts encoded")
    found = await interleaved(dict(zip(names, (fast, published), strict=True)), bench.budget(20, 2))
    for name, sample in found.items():
        bench.note("fast path", name, sample)
    ratio = found[names[1]].median / found[names[0]].median
    bench.note("fast path", "ratio of medians", {"times": round(ratio, 1)})


async def bench_search(bench: Bench, engine: Engine, sidecar: SidecarClient, index: str) -> None:
    """(c) Whole searches: plain, and reranked with the share of each stage."""
    searcher = Searcher(engine, sidecar)
    timings: list[dict[str, float]] = []
    body = {"size": 10, "_source": ["title"]}

    def query(number: int) -> dict[str, Any]:
        return {**body, "query": text_query(_query(number), TEXT_FIELDS)}

    async def plain(number: int) -> None:
        await engine.search(index, query(number))

    async def reranked(number: int) -> None:
        result = await searcher.search(index, query(number), SearchOptions(window=WINDOW))
        if result.status is not Status.RERANKED:
            raise ModelOutputError(f"a search was not reranked ({result.reason}); see the log")
        timings.append(dict(result.timings_ms))

    calls = {"plain": plain, f"reranked, window {WINDOW}": reranked}
    found = await interleaved(calls, bench.budget(100), warm=5)
    for name, sample in found.items():
        bench.note("search", name, sample)
    bench.note("search", "stages of reranked", stages(timings[5:]))


def stages(timings: list[dict[str, float]]) -> dict[str, Any]:
    """p50, p95 and share of the total by stage."""
    total = float(np.mean([one["total"] for one in timings]))
    return {
        stage: {
            **spread,
            "share": round(float(np.mean([one[stage] for one in timings])) / total, 3),
        }
        for stage, spread in latencies(timings).items()
        if stage != "total"
    }


class RandomVectors:
    """A `DocumentEmbedder` of random vectors in the name of a model; a search costs the same."""

    parallel = 1

    def __init__(self, card: ModelCard) -> None:
        self.fingerprint = card.fingerprint
        self.model = card.id
        self.revision = card.revision
        self.dimensions = card.dimensions

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions)."""
        return unit_vectors(len(texts), self.dimensions)

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def bench_index(
    engine: Engine, card: ModelCard, documents: int = DOCUMENTS, track: Track = untracked
) -> AsyncIterator[str]:
    """An index of made-up documents with random vectors, for the length of the block."""
    texts = passages(documents, length=PASSAGE_WORDS)
    made = {
        str(number): Document(str(number), {"title": words(6, seed=-number), "text": text})
        for number, text in enumerate(texts)
    }
    collection = Collection("bench", "none", made, {}, {})
    name = await through_engine.prepare(engine, collection, RandomVectors(card), track=track)
    try:
        yield name
    finally:
        await through_engine.drop(engine, name)


def _query(number: int) -> str:
    return words(4, seed=100_000 + number)


def _hits(texts: Sequence[str], vectors: npt.NDArray[np.float32] | None = None) -> list[Hit]:
    return [
        Hit(str(place), 20.0 - place / 10, text, None if vectors is None else vectors[place])
        for place, text in enumerate(texts)
    ]


def _request(texts: Sequence[str], number: int) -> RankRequest:
    start = number % (len(texts) // 2)
    hits = tuple(_hits(texts[start : start + WINDOW]))
    return RankRequest(_query(number), hits, fusion=LISTWISE)


def _listwise_call(card: ModelCard, texts: Sequence[str], number: int) -> ListwiseCall:
    hits = [WireHit.of(hit) for hit in _hits(texts)[: card.prompt_hits]]
    return ListwiseCall(query=_query(number), hits=hits, fusion=WireFusion(listwise=1.0))
