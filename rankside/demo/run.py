"""The demo: judged queries through BM25, query cosine and Rankside, on a real engine."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from rich.progress import Progress

from connectors.connect import connect
from connectors.meta import TEXT_FIELDS
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.search import Searcher, SearchOptions, SearchResult
from connectors.sidecar import SidecarClient
from evaluation.collections import Collection
from evaluation.measures import MAIN, Scores, measure
from evaluation.runs import Run, ScoredDocument
from evaluation.significance import compare
from plugin.ranking.errors import SidecarUnavailable
from plugin.ranking.hits import FusionWeights, Status, Strategy
from plugin.ranking.wire import ModelCard
from rankside.demo.report import Example, Latency, Quality, Report

INDEX = "rankside-demo"
BM25, COSINE, RANKSIDE = "BM25", "query cosine", "Rankside"
SIZE = 10
SHOWN = 5
WINDOW = 100
WARM_UP = 5
MRR = "RR@10"

_EXPECTED = ("strategy_none", "no_hits")


@dataclass(frozen=True, slots=True)
class Searches:
    """One system's answer to every query, by query id."""

    results: Mapping[str, SearchResult]

    @property
    def run(self) -> Run:
        """The top hits as a run."""
        return {
            query: [ScoredDocument(hit["_id"], hit["_score"]) for hit in _hits(result)]
            for query, result in self.results.items()
        }

    @property
    def timings(self) -> list[Mapping[str, float]]:
        """Milliseconds by stage, a search each."""
        return [result.timings_ms for result in self.results.values()]


def systems() -> dict[str, SearchOptions]:
    """What is compared: the first stage, its window by query cosine, the model's own signals."""
    cosine = FusionWeights(listwise=0, query=1)
    return {
        BM25: SearchOptions(strategy=Strategy.NONE),
        COSINE: SearchOptions(window=WINDOW, fusion=cosine),
        RANKSIDE: SearchOptions(window=WINDOW),
    }


async def search_all(
    searcher: Searcher,
    queries: Mapping[str, str],
    options: SearchOptions,
    step: Callable[[], object],
    remedy: str,
) -> Searches:
    """Every query, one at a time; ``step()`` after each. The first few go ahead, to warm up.

    ``remedy`` is what the message of an error ends with.

    Raises:
        SidecarUnavailable: a search was passed through, so that figures would not be Rankside's.
    """
    results: dict[str, SearchResult] = {}
    for id_, text in [*islice(queries.items(), WARM_UP), *queries.items()]:
        match = {"multi_match": {"query": text, "fields": list(TEXT_FIELDS)}}
        result = await searcher.search(INDEX, {"size": SIZE, "query": match}, options)
        if result.status is Status.PASSED_THROUGH and result.reason not in _EXPECTED:
            raise SidecarUnavailable(
                f"the search for {text!r} was not reranked ({result.reason}); {remedy}"
            )
        results[id_] = result
        step()
    return Searches(results)


async def compare_systems(
    collection: Collection,
    where: EngineOptions,
    client: SidecarClientOptions,
    seconds: dict[str, float],
    bar: Progress,
) -> Report:
    """Run every system and measure it. ``seconds`` of the steps so far go into the report.

    Raises:
        RanksideError: engine or sidecar failed.
    """
    engine = await connect(where)
    remedy = f"run `rankside doctor --index {INDEX} --url {where.url} --sidecar {client.url}`"
    found = {}
    try:
        async with SidecarClient(client) as sidecar:
            searcher = Searcher(engine, sidecar)
            for name, options in systems().items():
                task = bar.add_task(name, total=len(collection.queries) + WARM_UP)
                step = partial(bar.advance, task)
                found[name] = await search_all(searcher, collection.queries, options, step, remedy)
            card, info = await sidecar.model(), await engine.info()
    finally:
        await engine.close()
    scores = {name: measure(collection.qrels, searches.run) for name, searches in found.items()}
    return Report(
        documents=len(collection.documents),
        queries=len(collection.queries),
        judgments=sum(map(len, collection.qrels.values())),
        model=f"{card.id} ({card.dimensions} dimensions)",
        engine=f"{info.kind} {info.version}",
        machine=machine(),
        quality=[_quality(name, scores, card) for name in found],
        latency=[Latency.of(name, searches.timings) for name, searches in found.items()],
        examples=_examples(found, collection, scores),
        seconds=seconds,
    )


def machine() -> str:
    """Cores and Python, for beside a figure."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _quality(name: str, scores: Mapping[str, Scores], card: ModelCard) -> Quality:
    own = scores[name]
    against = compare(own.values[MAIN], scores[BM25].values[MAIN])
    fusion = card.fusion.model_dump() if card.fusion else {}
    signals = {BM25: {"first_stage": 1.0}, COSINE: {"query": 1.0}}.get(name, fusion)
    p_value = None if name == BM25 else against.p_value
    return Quality(name, signals, own.means[MAIN], own.means[MRR], p_value)


def _examples(
    found: Mapping[str, Searches], collection: Collection, scores: Mapping[str, Scores]
) -> list[Example]:
    """The greatest gain, the median one and the greatest loss: chosen by rank, not by taste."""
    before, after = (
        {id_: values[MAIN] for id_, values in scores[name].by_query().items()}
        for name in (BM25, RANKSIDE)
    )
    gains = sorted(before, key=lambda id_: after[id_] - before[id_])
    chosen = {
        "greatest gain": gains[-1],
        "median": gains[len(gains) // 2],
        "greatest loss": gains[0],
    }
    return [
        Example(
            label=label,
            query=collection.queries[id_],
            before=_graded(found[BM25], id_, collection.qrels[id_]),
            after=_graded(found[RANKSIDE], id_, collection.qrels[id_]),
            ndcg_before=before[id_],
            ndcg_after=after[id_],
        )
        for label, id_ in chosen.items()
    ]


def _graded(searches: Searches, query: str, grades: Mapping[str, int]) -> list[tuple[str, int]]:
    hits = _hits(searches.results[query])[:SHOWN]
    return [(hit["_id"], grades.get(hit["_id"], 0)) for hit in hits]


def _hits(result: SearchResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result.body["hits"]["hits"]
    return found
