"""What reranking adds to a search through the plugin, and to one that is reordered outside."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np

from connectors.engine import Engine
from connectors.meta import TEXT_FIELDS, VECTOR_FIELD
from connectors.query_text import text_query
from connectors.sidecar import SidecarClient
from evaluation.large_index import queries_with
from evaluation.plugin_ways import PAGE, Said, Way, body_of, reported, way_of
from evaluation.speed import Bench, stages
from evaluation.timing import Budget, Call, Sample, taking_turns
from plugin.ranking.errors import EngineRejected, ModelOutputError
from plugin.ranking.hits import Hit, Status
from plugin.ranking.wire import ListwiseCall, ModelCard, WireHit

PIPELINE = "rankside-bench"
PROMPT_HITS = 20
PLAIN = f"plain, top {PAGE}"
TOP_PROMPT = f"plain, top {PROMPT_HITS} with text"
_WARM = 50
_WARM_OUTSIDE = 5
_OUTSIDE_SECONDS = 120.0
_PLUGIN_SECONDS = 900.0
_TIMEOUT = 30.0
_LONGEST = 300

Search = Callable[[str, Mapping[str, Any]], Awaitable[Said]]
"""Sends a search, of the plugin's or a plain one, to a path."""


async def bench_plugin_search(
    bench: Bench,
    engine: Engine,
    index: str,
    sidecar: SidecarClient,
    *,
    windows: Sequence[int],
    calls: int,
) -> None:
    """Searches that the plugin reranks, by window, in turns with plain ones.

    "added" is by round: the reranked search, less the plain one, less the sidecar's own time.

    Raises:
        EngineError: the engine failed.
        ModelOutputError: a search was not reranked, so nothing was measured.
    """
    texts = await queries_with(engine, index, max(windows), calls + _WARM)
    said: dict[int, list[dict[str, float]]] = {window: [] for window in windows}

    way, as_it_is = way_of(engine.kind, PIPELINE), f"/{index}/_search"
    async with _plugin(engine, way, sidecar.url) as send:

        async def plain(number: int) -> None:
            await send(as_it_is, body_of(texts[number]))

        async def top(number: int) -> None:
            shown = {"size": PROMPT_HITS, "_source": [*TEXT_FIELDS]}
            await send(as_it_is, {**body_of(texts[number]), **shown})

        def reranked(window: int) -> Call:
            async def search(number: int) -> None:
                answer = await send(way.path(index), way.body(texts[number], window))
                said[window].append(_timings(answer))

            return search

        searches: dict[str, Call] = {PLAIN: plain, TOP_PROMPT: top}
        searches |= {f"reranked, window {window}": reranked(window) for window in windows}
        spent = await taking_turns(searches, Budget(calls, _PLUGIN_SECONDS), warm=_WARM)
    section = f"search, {(await sidecar.model()).dimensions} dimensions"
    for name, values in spent.items():
        bench.note(section, name, _sample(values))
    for window in windows:
        timings = said[window][_WARM:]
        own = [one["sidecar_own"] for one in timings]
        added = _added(spent[f"reranked, window {window}"], spent[PLAIN], own)
        bench.note(section, f"added, window {window}", added)
        bench.note(section, f"stages, window {window}", stages(timings))
    _compare(bench, section)


async def bench_outside(
    bench: Bench,
    engine: Engine,
    index: str,
    sidecar: SidecarClient,
    *,
    windows: Sequence[int],
    calls: int,
) -> None:
    """The same rerank by fetching the window with its vectors and reordering it here.

    Raises:
        EngineError, SidecarError: one of them failed.
    """
    card = await sidecar.model()
    texts = await queries_with(engine, index, max(windows), calls + _WARM_OUTSIDE)
    own: list[float] = []

    async def plain(number: int) -> None:
        await engine.search(index, body_of(texts[number]))

    def outside(window: int) -> Call:
        async def search(number: int) -> None:
            own.append(await _outside(engine, index, sidecar, card, texts[number], window))

        return search

    section = f"reordered outside, {card.dimensions} dimensions"
    for window in windows:
        own.clear()
        name = f"fetched with vectors, window {window}"
        budget = Budget(calls, _OUTSIDE_SECONDS, least=30)
        searches: dict[str, Call] = {PLAIN: plain, name: outside(window)}
        spent = await taking_turns(searches, budget, warm=_WARM_OUTSIDE)
        bench.note(section, name, _sample(spent[name]))
        added = _added(spent[name], spent[PLAIN], own[_WARM_OUTSIDE:])
        bench.note(section, f"added, window {window}", added)


async def _outside(
    engine: Engine, index: str, sidecar: SidecarClient, card: ModelCard, text: str, window: int
) -> float:
    """The sidecar's own milliseconds of one search."""
    body = {
        "query": text_query(text, TEXT_FIELDS),
        "size": window,
        "_source": False,
        "fields": [*TEXT_FIELDS, VECTOR_FIELD],
    }
    hits = (await engine.search(index, body))["hits"]["hits"]
    prompt = [
        WireHit.of(Hit(hit["_id"], hit["_score"], "\n".join(_texts(hit["fields"]))))
        for hit in hits[: card.prompt_hits]
    ]
    answer = await sidecar.listwise(ListwiseCall(query=text, hits=prompt))
    vector = answer.to_vector()
    if vector is None or answer.status is not Status.RERANKED:
        raise ModelOutputError(f"a search was not reranked ({answer.reason}); see the log")
    vectors = np.array([hit["fields"][VECTOR_FIELD] for hit in hits], dtype=np.float32)
    order = np.argsort(-(vectors @ vector) / np.linalg.norm(vectors, axis=1))
    _ = [hits[place] for place in order[:PAGE]]
    return answer.timings_ms.total


def _added(reranked: list[float], plain: list[float], own: list[float]) -> Sample:
    return _sample([a - b - c for a, b, c in zip(reranked, plain, own, strict=True)])


@asynccontextmanager
async def _plugin(engine: Engine, way: Way, sidecar: str) -> AsyncIterator[Search]:
    """Sends searches that the plugin reranks; the same client sends plain ones.

    Our own drops the headers in which Elasticsearch says what was done.
    """
    await way.prepare(engine, sidecar, _TIMEOUT)
    async with httpx.AsyncClient(base_url=engine.url, timeout=2 * _TIMEOUT) as client:

        async def send(path: str, body: Mapping[str, Any]) -> Said:
            answer = await client.post(path, json=dict(body))
            if answer.is_error:
                raise EngineRejected(answer.text[:_LONGEST], status=answer.status_code)
            return reported(answer.json(), answer.headers) or {}

        yield send


def _timings(said: Said) -> dict[str, float]:
    if said.get("status") != Status.RERANKED:
        raise ModelOutputError(f"a search was not reranked ({said.get('reason')}); see the log")
    timings: dict[str, float] = said["timings_ms"]
    return timings


def _compare(bench: Bench, section: str) -> None:
    """What a ten times deeper window costs."""
    found = bench.sections[section]
    for what in ("reranked", "added"):
        few, many = (found.get(f"{what}, window {window}") for window in (100, 1000))
        if few and many:
            times = {"times": round(many["median_ms"] / few["median_ms"], 2)}
            bench.note(section, f"{what}, window 1000 over 100", times)


def _texts(fields: Mapping[str, Sequence[str]]) -> list[str]:
    return [part for name in TEXT_FIELDS for part in fields.get(name, ())]


def _sample(values: list[float]) -> Sample:
    return Sample.of(values, math.inf)  # nobody waits for so many a second
