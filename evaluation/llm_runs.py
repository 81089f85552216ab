"""What measurements of an LLM over a collection's run have in common."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from evaluation.answers import RememberedLLM
from evaluation.asking import ranking
from evaluation.collections import Collection, load_collection, sampled
from evaluation.measures import MAIN, Values
from evaluation.memory import Hits, first_stage_hits
from evaluation.runs import ScoredDocument, read_run
from evaluation.significance import Comparison, bootstrap_interval
from evaluation.weights import RUNS, SEED
from plugin.models.chat.options import CacheOptions
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Ranking, RankRequest


def first_stage(
    data: Path, name: str, run: Path | None, queries: int | None, window: int
) -> tuple[Collection, Hits]:
    """A collection, or ``queries`` of it, and the first ``window`` hits of its run.

    Raises:
        SettingsError: the collection or its run cannot be read, or it has no run.
    """
    if run is None and name not in RUNS:
        raise SettingsError(f"collection {name} comes with no run; give one with --run")
    collection = sampled(load_collection(data / name), queries, SEED)
    path = run or data / name / RUNS[name]
    return collection, first_stage_hits(collection, read_run(path), window)


def load_remembered(options: LLMOptions, answers: Path | None) -> LLM:
    """Without a cache of its own: the file is that, and the same prompt is never asked twice.

    Raises:
        SettingsError: no LLM is named, or the file cannot be used.
    """
    llm = load_llm(options.model_copy(update={"cache": CacheOptions(bytes=0)}))
    if llm is None:
        raise SettingsError("no LLM is named; set RANKSIDE_LLM__URL or RANKSIDE_LLM__PATH")
    return llm if answers is None else RememberedLLM(llm, options, answers)


async def rankings(
    llm: LLM,
    options: LLMOptions,
    requests: Mapping[str, RankRequest],
    at_once: int,
    done: Callable[[], None],
) -> dict[str, Ranking]:
    """The LLM's order of each request, ``at_once`` of them under way; ``done`` is told of each."""
    asking, free = options.insertrank(llm.tokenizer), asyncio.Semaphore(at_once)

    async def ranked(request: RankRequest) -> Ranking:
        async with free:
            found = await ranking(llm, request, asking, seconds=options.timeout)
        done()
        return found

    found = await asyncio.gather(*map(ranked, requests.values()))
    return dict(zip(requests, found, strict=True))


def as_run(orders: Mapping[str, Ranking]) -> dict[str, list[ScoredDocument]]:
    """Rankings as a run, scored by their places."""
    return {
        query: [ScoredDocument(id_, -float(rank)) for rank, id_ in enumerate(found.ids)]
        for query, found in orders.items()
    }


def figures(values: Values) -> dict[str, Any]:
    """Mean of a measure and its 95 % interval, from values of queries."""
    return {
        MAIN: round(float(values.mean()), 6),
        "ci95": [round(end, 6) for end in bootstrap_interval(values)],
    }


def compared(comparison: Comparison) -> dict[str, Any]:
    """A difference, its 95 % interval and its p-value."""
    return {
        "difference": round(comparison.difference, 6),
        "ci95": [round(comparison.low, 6), round(comparison.high, 6)],
        "p_value": comparison.p_value,
    }


def interval(found: Mapping[str, Any], form: str) -> str:
    """The interval of what the two above give, for a table."""
    low, high = found["ci95"]
    return f"{low:{form}} … {high:{form}}"


def give(document: Mapping[str, Any], path: Path | None, out: Console) -> None:
    """``document`` as JSON in a file, or on ``out``."""
    text = json.dumps(document, indent=2) + "\n"
    if path is None:
        out.out(text, end="", highlight=False)
    else:
        path.write_text(text, encoding="utf-8")
