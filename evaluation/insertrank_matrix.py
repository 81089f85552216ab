"""`python -m evaluation.insertrank_matrix`: score modes, initial orders and decodings, measured.

The first stage is the run of a test collection; the LLM is that of the settings.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from evaluation.answers import RememberedLLM
from evaluation.asking import ranking
from evaluation.collections import Collection, load_collection, sampled
from evaluation.llm_settings import llm_settings
from evaluation.machine import machine, versions
from evaluation.measures import MAIN, Values, measure
from evaluation.memory import Hits, first_stage_hits
from evaluation.runs import ScoredDocument, read_run
from evaluation.significance import Comparison, bootstrap_interval, compare
from evaluation.weights import RUNS, SEED, data_folder
from plugin.models.chat.options import CacheOptions
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.errors import RanksideError, SettingsError
from plugin.ranking.hits import Ranking, RankRequest, Strategy
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.score_labels import ScoreMode

app = typer.Typer(pretty_exceptions_enable=False)
out, err = Console(), Console(stderr=True)
_WIDTH = 120  # of the table, in a file too


@dataclass(frozen=True, slots=True)
class Cell:
    """One way to ask."""

    score_mode: ScoreMode
    initial_order: InitialOrder
    decoding: Decoding

    def __str__(self) -> str:
        return f"{self.decoding}, {self.score_mode}, {self.initial_order}"

    def on(self, options: LLMOptions) -> LLMOptions:
        """``options``, asking this way."""
        names = ("score_mode", "initial_order", "decoding")
        return options.model_copy(update={name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Measured:
    """What a cell gave: per query, float64 (queries,), and by what outcomes."""

    cell: Cell
    values: Values
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    seconds: float


@app.command()
def matrix(  # noqa: PLR0913 - options are arguments
    *,
    collection: Annotated[str, typer.Option(help="Test collection.")] = "msmarco-dl19",
    run: Annotated[
        Path | None, typer.Option(help="TREC run of the first stage; default: the collection's.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Test collections; default: RANKSIDE_SHARED_DATA.")
    ] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="So many; default: all.")] = None,
    score_mode: Annotated[list[ScoreMode] | None, typer.Option(help="These alone.")] = None,
    initial_order: Annotated[list[InitialOrder] | None, typer.Option(help="These alone.")] = None,
    decoding: Annotated[list[Decoding] | None, typer.Option(help="These alone.")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Queries under way at the same time.")] = 4,
    answers: Annotated[
        Path | None, typer.Option(help="File of answers, to go on where a run was ended.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with an [llm] table.")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write JSON to a file, not here.")
    ] = None,
) -> None:
    """Measure nDCG@10 of every way to ask the LLM of the settings."""
    chosen = itertools.product(
        decoding or Decoding, score_mode or ScoreMode, initial_order or InitialOrder
    )
    cells = [Cell(mode, order, how) for how, mode, order in chosen]
    try:
        options = llm_settings(config)
        found = _first_stage(data or data_folder(), collection, run, queries, options.window)
        began = machine()
        measured = asyncio.run(_measured(cells, options, *found, answers, at_once))
    except RanksideError as error:
        err.print(f"[bold red]insertrank:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = _document(measured, options, *found)
    document |= {"machine": began, "versions": versions()}
    Console(stderr=True, width=max(err.width, _WIDTH)).print(_table(document))
    text = json.dumps(document, indent=2) + "\n"
    if json_out is None:
        out.out(text, end="", highlight=False)
    else:
        json_out.write_text(text, encoding="utf-8")


def _first_stage(
    data: Path, name: str, run: Path | None, queries: int | None, window: int
) -> tuple[Collection, Hits]:
    if run is None and name not in RUNS:
        raise SettingsError(f"collection {name} comes with no run; give one with --run")
    collection = sampled(load_collection(data / name), queries, SEED)
    path = run or data / name / RUNS[name]
    return collection, first_stage_hits(collection, read_run(path), window)


async def _measured(
    cells: Sequence[Cell],
    options: LLMOptions,
    collection: Collection,
    hits: Hits,
    answers: Path | None,
    at_once: int,
) -> list[Measured]:
    """The cells in turn; an LLM is loaded once for each decoding."""
    measured: list[Measured] = []
    with Progress(console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("asking", total=len(cells) * len(hits))
        for _, group in itertools.groupby(cells, lambda cell: cell.decoding):
            these = list(group)
            llm = _llm(these[0].on(options), answers)
            try:
                for cell in these:
                    asked = _Asked(llm, cell.on(options), at_once)
                    measured.append(
                        await asked.measured(cell, collection, hits, lambda: bar.advance(task))
                    )
                    if not err.is_terminal:
                        err.print(f"{len(measured)}/{len(cells)} {cell}", highlight=False)
            finally:
                await llm.close()
    return measured


def _llm(options: LLMOptions, answers: Path | None) -> LLM:
    """Without a cache of its own: the file is that, and the same prompt is never asked twice."""
    llm = load_llm(options.model_copy(update={"cache": CacheOptions(bytes=0)}))
    if llm is None:
        raise SettingsError("no LLM is named; set RANKSIDE_LLM__URL or RANKSIDE_LLM__PATH")
    return llm if answers is None else RememberedLLM(llm, options, answers)


class _Asked:
    """An LLM, and how it is asked."""

    def __init__(self, llm: LLM, options: LLMOptions, at_once: int) -> None:
        self._llm = llm
        self._asking = options.insertrank(llm.tokenizer)
        self._seconds = options.timeout
        self._free = asyncio.Semaphore(at_once)

    async def measured(
        self, cell: Cell, collection: Collection, hits: Hits, done: Callable[[], None]
    ) -> Measured:
        async def ranked(query: str) -> Ranking:
            request = RankRequest(collection.queries[query], hits[query], Strategy.INSERTRANK)
            async with self._free:
                found = await ranking(self._llm, request, self._asking, seconds=self._seconds)
            done()
            return found

        began = time.perf_counter()
        queries = [query for query in collection.queries if hits[query]]
        rankings = await asyncio.gather(*(ranked(query) for query in queries))
        run = {
            query: [ScoredDocument(id_, -float(rank)) for rank, id_ in enumerate(found.ids)]
            for query, found in zip(queries, rankings, strict=True)
        }
        return Measured(
            cell,
            measure(collection.qrels, run).values[MAIN],
            Counter(found.status.value for found in rankings),
            Counter(found.reason.partition(":")[0] for found in rankings if found.reason),
            time.perf_counter() - began,
        )


def _document(
    measured: Sequence[Measured], options: LLMOptions, collection: Collection, hits: Hits
) -> dict[str, Any]:
    run = {
        query: [ScoredDocument(hit.id, hit.score) for hit in found] for query, found in hits.items()
    }
    first_stage = measure(collection.qrels, run).values[MAIN]
    return {
        "collection": collection.name,
        "queries": len(collection.queries),
        "window": options.window,
        "llm": {"model": options.model, "max_tokens": options.max_tokens},
        "template": options.template,
        "first_stage": _figures(first_stage),
        "cells": [
            {
                "score_mode": one.cell.score_mode,
                "initial_order": one.cell.initial_order,
                "decoding": one.cell.decoding,
                **_figures(one.values),
                "vs_first_stage": _compared(compare(one.values, first_stage)),
                "statuses": dict(one.statuses),
                "reasons": dict(one.reasons),
                "seconds": round(one.seconds, 1),
            }
            for one in measured
        ],
    }


def _figures(values: Values) -> dict[str, Any]:
    return {
        MAIN: round(float(values.mean()), 6),
        "ci95": [round(end, 6) for end in bootstrap_interval(values)],
    }


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "difference": round(comparison.difference, 6),
        "ci95": [round(comparison.low, 6), round(comparison.high, 6)],
        "p_value": comparison.p_value,
    }


def _table(document: Mapping[str, Any]) -> Table:
    title = f"{document['collection']}, {document['queries']} queries, {document['llm']['model']}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("decoding", "scores", "order"):
        table.add_column(name, no_wrap=True)
    for name in (MAIN, "95 %", "Δ", "95 %", "reranked"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in _rows(document):
        table.add_row(*row)
    return table


def _rows(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    first = document["first_stage"]
    yield "", "", "first stage", f"{first[MAIN]:.4f}", _interval(first, ".3f"), "", "", ""
    for cell in document["cells"]:
        versus, statuses = cell["vs_first_stage"], cell["statuses"]
        yield (
            cell["decoding"],
            cell["score_mode"],
            cell["initial_order"],
            f"{cell[MAIN]:.4f}",
            _interval(cell, ".3f"),
            f"{versus['difference']:+.4f}",
            _interval(versus, "+.3f"),
            f"{statuses.get('reranked', 0)}/{sum(statuses.values())}",
        )


def _interval(figures: Mapping[str, Any], form: str) -> str:
    low, high = figures["ci95"]
    return f"{low:{form}} … {high:{form}}"


if __name__ == "__main__":
    app()
