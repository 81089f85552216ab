"""`python -m evaluation.insertrank_matrix`: score modes, initial orders and decodings, measured.

The first stage is the run of a test collection; the LLM is that of the settings.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from evaluation.collections import Collection
from evaluation.insertrank_cells import Asking, Cell, Measured, measure_cells
from evaluation.llm_arguments import (
    AnswersOption,
    AtOnceOption,
    CollectionOption,
    ConfigOption,
    DataOption,
    JsonOption,
    QueriesOption,
    RunOption,
)
from evaluation.llm_runs import compared, figures, first_stage, give, interval
from evaluation.llm_settings import llm_settings
from evaluation.machine import machine, versions
from evaluation.measures import MAIN, measure
from evaluation.memory import Hits
from evaluation.runs import ScoredDocument
from evaluation.significance import compare
from evaluation.weights import data_folder
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import RanksideError
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.score_labels import ScoreMode

app = typer.Typer(pretty_exceptions_enable=False)
out, err = Console(), Console(stderr=True)
_WIDTH = 120  # of the table, in a file too


@app.command()
def matrix(  # noqa: PLR0913 - options are arguments
    *,
    collection: CollectionOption = "msmarco-dl19",
    run: RunOption = None,
    data: DataOption = None,
    queries: QueriesOption = None,
    score_mode: Annotated[list[ScoreMode] | None, typer.Option(help="These alone.")] = None,
    initial_order: Annotated[list[InitialOrder] | None, typer.Option(help="These alone.")] = None,
    decoding: Annotated[list[Decoding] | None, typer.Option(help="These alone.")] = None,
    at_once: AtOnceOption = 4,
    answers: AnswersOption = None,
    config: ConfigOption = None,
    json_out: JsonOption = None,
) -> None:
    """Measure nDCG@10 of every way to ask the LLM of the settings."""
    chosen = itertools.product(
        decoding or Decoding, score_mode or ScoreMode, initial_order or InitialOrder
    )
    cells = [Cell(mode, order, how) for how, mode, order in chosen]
    try:
        options = llm_settings(config)
        found = first_stage(data or data_folder(), collection, run, queries, options.window)
        began = machine()
        measured = _measured(cells, Asking(options, at_once, answers), *found)
    except RanksideError as error:
        err.print(f"[bold red]insertrank:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = _document(measured, options, *found)
    document |= {"machine": began, "versions": versions()}
    Console(stderr=True, width=max(err.width, _WIDTH)).print(_table(document))
    give(document, json_out, out)


def _measured(
    cells: Sequence[Cell], asking: Asking, collection: Collection, hits: Hits
) -> list[Measured]:
    """The cells, with progress on standard error; a line a cell where that is no terminal."""
    done = itertools.count(1)

    def told(cell: Cell) -> None:
        if not err.is_terminal:
            err.print(f"{next(done)}/{len(cells)} {cell}", highlight=False)

    with Progress(console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("asking", total=len(cells) * len(hits))
        return asyncio.run(
            measure_cells(
                cells, asking, collection, hits, lambda steps: bar.advance(task, steps), told
            )
        )


def _document(
    measured: Sequence[Measured], options: LLMOptions, collection: Collection, hits: Hits
) -> dict[str, Any]:
    run = {
        query: [ScoredDocument(hit.id, hit.score) for hit in found] for query, found in hits.items()
    }
    before = measure(collection.qrels, run).values[MAIN]
    return {
        "collection": collection.name,
        "queries": len(collection.queries),
        "window": options.window,
        "llm": {"model": options.model, "max_tokens": options.max_tokens},
        "template": options.template,
        "first_stage": figures(before),
        "cells": [
            {
                "score_mode": one.cell.score_mode,
                "initial_order": one.cell.initial_order,
                "decoding": one.cell.decoding,
                **figures(one.values),
                "vs_first_stage": compared(compare(one.values, before)),
                "statuses": dict(one.statuses),
                "reasons": dict(one.reasons),
                "seconds": round(one.seconds, 1),
            }
            for one in measured
        ],
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
    yield "", "", "first stage", f"{first[MAIN]:.4f}", interval(first, ".3f"), "", "", ""
    for cell in document["cells"]:
        versus, statuses = cell["vs_first_stage"], cell["statuses"]
        yield (
            cell["decoding"],
            cell["score_mode"],
            cell["initial_order"],
            f"{cell[MAIN]:.4f}",
            interval(cell, ".3f"),
            f"{versus['difference']:+.4f}",
            interval(versus, "+.3f"),
            f"{statuses.get('reranked', 0)}/{sum(statuses.values())}",
        )


if __name__ == "__main__":
    app()
