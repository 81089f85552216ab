"""`python -m evaluation.settled_margin`: from which lead of E2Rank's an LLM need not be asked.

A cascade is made of each query of a collection's run: E2Rank over the hits, the LLM of the settings
over the head. Then, for one threshold after the other, E2Rank's order stays where its first hit
leads the second by as much, and what that saves and costs is measured on the same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from evaluation.collections import Collection
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
from evaluation.llm_runs import (
    as_run,
    compared,
    figures,
    first_stage,
    give,
    interval,
    load_remembered,
    rankings,
)
from evaluation.llm_settings import llm_settings
from evaluation.machine import machine, versions
from evaluation.measures import MAIN, Values, measure
from evaluation.memory import Hits, rank, with_vectors
from evaluation.significance import Comparison, compare
from evaluation.strategies import E2RANK
from evaluation.vectors import CachedEncoder
from evaluation.weights import MODEL, data_folder
from plugin.models.llm_options import LLMOptions
from plugin.models.load import load_encoder
from plugin.models.options import ModelOptions
from plugin.ranking.cascade import head_request, join, margin
from plugin.ranking.errors import RanksideError
from plugin.ranking.hits import Ranking, RankRequest, Status, Strategy

app = typer.Typer(pretty_exceptions_enable=False)
out, err = Console(), Console(stderr=True)
SHARES = tuple(share / 10 for share in range(1, 11))
"""Of the queries, how many E2Rank would settle."""


@dataclass(frozen=True, slots=True)
class Cascades:
    """Per query, in one order: E2Rank's lead, and nDCG@10 with and without the LLM, (queries,)."""

    leads: Values
    e2rank: Values
    cascade: Values


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a margin saves and costs, against asking the LLM for every query."""

    margin: float
    saved: float
    values: Values
    versus: Comparison


@app.command()
def settled_margin(  # noqa: PLR0913 - options are arguments
    *,
    collection: CollectionOption = "msmarco-dl19",
    run: RunOption = None,
    data: DataOption = None,
    queries: QueriesOption = None,
    window: Annotated[int, typer.Option(min=2, help="Hits that E2Rank orders.")] = 100,
    model: Annotated[str, typer.Option(help="E2Rank's model, of the registry.")] = MODEL,
    loss: Annotated[
        float, typer.Option(min=0, help="nDCG@10 that the saving may cost, at most.")
    ] = 0.005,
    at_once: AtOnceOption = 4,
    answers: AnswersOption = None,
    config: ConfigOption = None,
    json_out: JsonOption = None,
) -> None:
    """Measure which `llm.settled_margin` saves how many calls, and what it costs in nDCG@10."""
    try:
        options, began = llm_settings(config), machine()
        found, hits = first_stage(data or data_folder(), collection, run, queries, window)
        encoder = CachedEncoder(load_encoder(ModelOptions(name=model)))
        first = rank(found.queries, with_vectors(hits, encoder), E2RANK, encoder)
        cascades = asyncio.run(_cascades(found, hits, first, options, answers, at_once))
    except RanksideError as error:
        err.print(f"[bold red]settled margin:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    measured = thresholds(cascades)
    document = {
        "collection": found.name,
        "queries": len(cascades.leads),
        "window": window,
        "head": options.window,
        "model": model,
        "llm": {"model": options.model, "decoding": options.decoding},
        "e2rank": figures(cascades.e2rank),
        "cascade": figures(cascades.cascade),
        "thresholds": [_row(one) for one in measured],
        "settled_margin": recommended(measured, loss),
        "loss": loss,
        "machine": began,
        "versions": versions(),
    }
    err.print(_table(document))
    err.print(_advice(document), highlight=False)
    give(document, json_out, out)


def thresholds(cascades: Cascades, shares: Sequence[float] = SHARES) -> list[Threshold]:
    """Margins that settle the ``shares`` of the queries, the highest first; each once."""
    leads = np.sort(cascades.leads)[::-1]
    chosen = {float(leads[max(0, round(share * leads.size) - 1)]) for share in shares}
    return [_threshold(cascades, least) for least in sorted(chosen, reverse=True) if least > 0]


def recommended(measured: Sequence[Threshold], loss: float) -> float | None:
    """The margin that saves most, of those that cost no more than ``loss`` with 97.5 % confidence.

    None where none does: the LLM is then to be asked always.
    """
    sound = [one for one in measured if one.versus.low >= -loss]
    return min((one.margin for one in sound), default=None)


async def _cascades(
    collection: Collection,
    hits: Hits,
    first: Mapping[str, Ranking],
    options: LLMOptions,
    answers: Path | None,
    at_once: int,
) -> Cascades:
    ranked = {
        query: order for query, order in first.items() if order.status is not Status.PASSED_THROUGH
    }
    heads = {
        query: head_request(
            RankRequest(collection.queries[query], hits[query], Strategy.CASCADE),
            order,
            options.window,
        )
        for query, order in ranked.items()
    }
    llm = load_remembered(options, answers)
    try:
        with Progress(console=err, disable=not err.is_terminal) as bar:
            task = bar.add_task("asking", total=len(heads))
            ordered = await rankings(llm, options, heads, at_once, lambda: bar.advance(task))
    finally:
        await llm.close()
    joined = {query: join(order, ordered[query]) for query, order in ranked.items()}
    qrels = {query: collection.qrels[query] for query in ranked}
    return Cascades(
        np.array([margin(order) for order in ranked.values()]),
        measure(qrels, as_run(ranked)).values[MAIN],
        measure(qrels, as_run(joined)).values[MAIN],
    )


def _threshold(cascades: Cascades, least: float) -> Threshold:
    settled = cascades.leads >= least
    values = np.where(settled, cascades.e2rank, cascades.cascade)
    versus = compare(values, cascades.cascade)
    return Threshold(least, float(settled.mean()), values, versus)


def _row(one: Threshold) -> dict[str, Any]:
    return {
        "margin": round(one.margin, 4),
        "saved": round(one.saved, 4),
        **figures(one.values),
        "vs_cascade": compared(one.versus),
    }


def _table(document: Mapping[str, Any]) -> Table:
    title = f"{document['collection']}, {document['queries']} queries, {document['llm']['model']}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("margin", "calls saved", MAIN, "Δ", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in _lines(document):
        table.add_row(*row)
    return table


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "none", "0 %", f"{document['cascade'][MAIN]:.4f}", "", ""
    for one in document["thresholds"]:
        versus = one["vs_cascade"]
        yield (
            f"{one['margin']:.3f}",
            f"{one['saved']:.0%}",
            f"{one[MAIN]:.4f}",
            f"{versus['difference']:+.4f}",
            interval(versus, "+.3f"),
        )


def _advice(document: Mapping[str, Any]) -> str:
    least, loss = document["settled_margin"], document["loss"]
    if least is None:
        return f"No margin surely costs less than {loss} {MAIN}: leave llm.settled_margin unset."
    return f"RANKSIDE_LLM__SETTLED_MARGIN={least:.4f}, chosen on these queries: check it on others."


if __name__ == "__main__":
    app()
