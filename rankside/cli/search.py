"""`rankside search`: a reranked search, shown beside the first stage's order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from connectors.connect import connect
from connectors.index import catalogue_of
from connectors.meta import TEXT_FIELDS, document_text
from connectors.query_text import text_query
from connectors.rescore import Place, RescoreBy, Weights
from connectors.search import (
    FirstStage,
    Method,
    OnFailure,
    Searcher,
    SearchOptions,
    SearchResult,
)
from connectors.search_options import DEFAULT_WINDOW, MAX_WINDOW
from connectors.sidecar import SidecarClient
from connectors.target import known_text_fields
from plugin.ranking.hits import Status, Strategy
from plugin.ranking.wire import PromptExplanation
from rankside.access import client_options, engine_options
from rankside.cli.console import (
    ConfigOption,
    IndexOption,
    JsonFlag,
    SidecarOption,
    UrlOption,
    names_of,
    out,
    print_json,
)
from rankside.cli.request_body import request_body
from rankside.settings import Settings, load_settings

_SNIPPET = 90
_ID_WIDTH = 24
_ROUNDING = 1e-5
_STYLES = {Status.RERANKED: "green", Status.PARTIAL: "yellow", Status.PASSED_THROUGH: "red"}

TextArgument = Annotated[
    str | None, typer.Argument(help="What to search and rerank for.", show_default=False)
]
SizeOption = Annotated[int | None, typer.Option(min=0, help="Hits to show; default 10.")]
FromOption = Annotated[int | None, typer.Option("--from", min=0, help="Hits to skip.")]
WindowOption = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_WINDOW, help="Hits put in order; default: settings, else 100."),
]
ExactWindowFlag = Annotated[
    bool, typer.Option("--exact-window", help="The window over all shards, not of each.")
]
StrategyOption = Annotated[Strategy, typer.Option(help="How to rerank.")]
RescoreOption = Annotated[RescoreBy, typer.Option(help="How the engine compares vectors.")]
QueryBodyOption = Annotated[
    Path | None,
    typer.Option(help="File with a _search body (JSON); TEXT then only says what to rank for."),
]
TextFieldsOption = Annotated[
    str | None, typer.Option(help="Text fields, with commas; default: the index's own.")
]
VectorFieldOption = Annotated[
    str | None, typer.Option(help="Field of the document vectors; default: the index's own.")
]
DeadlineOption = Annotated[
    float | None, typer.Option(help="Seconds for the window search and the sidecar.")
]
HeadOption = Annotated[
    int | None,
    typer.Option(min=1, help="Of a cascade, E2Rank's first hits that the LLM orders."),
]
LLMDeadlineOption = Annotated[
    float | None, typer.Option(help="Of those seconds, the most that an LLM may take.")
]
OnFailureOption = Annotated[
    OnFailure, typer.Option(help="What becomes of a search that cannot be reranked.")
]
ExplainFlag = Annotated[
    bool,
    typer.Option("--explain", help="Show what each hit's score is made of, and an LLM's answers."),
]


def search(
    text: TextArgument = None,
    *,
    index: IndexOption,
    size: SizeOption = None,
    from_: FromOption = None,
    window: WindowOption = None,
    exact_window: ExactWindowFlag = False,
    strategy: StrategyOption = Strategy.E2RANK,
    head: HeadOption = None,
    rescore: RescoreOption = RescoreBy.AUTO,
    query_body: QueryBodyOption = None,
    text_fields: TextFieldsOption = None,
    vector_field: VectorFieldOption = None,
    deadline: DeadlineOption = None,
    llm_deadline: LLMDeadlineOption = None,
    on_failure: OnFailureOption = OnFailure.PASS_THROUGH,
    explain: ExplainFlag = False,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Search an index and show each hit's place and score before and after reranking.

    A search that is passed through is good too: its status says why.
    """
    logging.getLogger("connectors").setLevel(logging.ERROR)  # the status line says it
    fields = names_of(text_fields)
    settings = load_settings(config)
    options = SearchOptions(
        query_text=text,
        strategy=strategy,
        window=window or settings.pipelines.window or DEFAULT_WINDOW,
        head=head,
        exact_window=exact_window,
        rescore=rescore,
        deadline=deadline,
        llm_deadline=llm_deadline,
        on_failure=on_failure,
        explain=True,
        text_fields=fields,
        vector_field=vector_field,
    )
    body = {**request_body(text, query_body, fields, vector_field), **_page(from_, size)}
    result, shown = asyncio.run(_search(index, body, options, (settings, url, sidecar)))
    if as_json:
        print_json(_as_json(index, result))
    else:
        _print(result, shown, skipped=int(body.get("from", 0)), explain=explain)


def _page(from_: int | None, size: int | None) -> dict[str, int]:
    """What is said of the page; the rest is the body's own, or the engine's."""
    return {name: n for name, n in (("from", from_), ("size", size)) if n is not None}


async def _search(
    index: str,
    body: Mapping[str, Any],
    options: SearchOptions,
    where: tuple[Settings, str | None, str | None],
) -> tuple[SearchResult, tuple[str, ...]]:
    """The result, and the text fields to show of it."""
    settings, url, sidecar = where
    engine = await connect(engine_options(settings, url))
    try:
        fields = options.text_fields or await known_text_fields(engine, catalogue_of(engine), index)
        if "query" not in body and options.query_text and "retriever" not in body:
            body = {**body, "query": text_query(options.query_text, fields)}
        async with SidecarClient(client_options(settings, sidecar)) as client:
            result = await Searcher(engine, client).search(index, body, options)
    finally:
        await engine.close()
    return result, fields


def _as_json(index: str, result: SearchResult) -> dict[str, Any]:
    return {
        "index": index,
        "status": result.status,
        "reason": result.reason,
        "detail": result.detail,
        "strategy": result.strategy,
        "method": result.method,
        "model": result.model,
        "signals": dict(result.signals),
        "weights": asdict(result.weights) if result.weights else None,
        "timings_ms": {name: round(spent, 3) for name, spent in result.timings_ms.items()},
        "first_stage": [
            {**asdict(place), **asdict(before)} for place, before in result.first_stage.items()
        ],
        "prompts": [prompt.model_dump() for prompt in result.prompts],
        "response": result.body,
    }


def _print(result: SearchResult, fields: tuple[str, ...], *, skipped: int, explain: bool) -> None:
    hits = result.body["hits"]["hits"]
    if hits:
        out.print(_table(result, fields, skipped=skipped, explain=explain))
    else:
        out.print("no hits")
    told = [escape(part) for part in (result.reason, result.detail) if part]
    status = f"[{_STYLES[result.status]}]{result.status}[/]"
    out.print(": ".join([status, *told]), highlight=False, soft_wrap=True)
    out.print(f"[dim]{escape(_how(result))}[/]", highlight=False, soft_wrap=True)
    for prompt in result.prompts if explain else ():
        out.print(f"[dim]{escape(_asked(prompt))}[/]", highlight=False, soft_wrap=True)
        out.print(escape(" ".join(prompt.answer.split())), highlight=False, soft_wrap=True)


def _how(result: SearchResult) -> str:
    """Strategy, model, signals and the time of each stage, in a line."""
    signals = ", ".join(f"{name} {weight:g}" for name, weight in result.signals.items())
    model = f"{result.model} ({signals})" if signals else result.model
    times = ", ".join(f"{stage} {spent:.0f} ms" for stage, spent in result.timings_ms.items())
    way = "" if result.method is Method.NONE else f" by {result.method}"
    return " · ".join(part for part in (f"{result.strategy}{way}", model, times) if part)


def _asked(prompt: PromptExplanation) -> str:
    """A prompt of an LLM and how its answer was read, in a line."""
    found = {
        "missing": prompt.missing,
        "repeated": prompt.repeated,
        "out of range": prompt.out_of_range,
        "passages cut": prompt.truncated,
    }
    parts = [
        f"asked: {prompt.template}",
        f"{len(prompt.hits)} hits",
        f"{prompt.tokens:,} tokens",
        prompt.failure or prompt.outcome,
        *(f"{count} {what}" for what, count in found.items() if count and not prompt.failure),
        *(["answer cut off"] if prompt.cut else []),
        f"sha256 {prompt.sha256[:16]}",
    ]
    return " · ".join(parts)


def _table(result: SearchResult, fields: tuple[str, ...], *, skipped: int, explain: bool) -> Table:
    hits = result.body["hits"]["hits"]
    several = len({hit["_index"] for hit in hits}) > 1
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    numbers = ["after", "before", "", "score", "first stage"]
    for name in [*numbers, *(("cosine", "weighted") if explain else ())]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("id", overflow="fold", max_width=_ID_WIDTH)
    table.add_column("hit", overflow="ellipsis", no_wrap=True, ratio=1)  # what is left of the line
    for rank, hit in enumerate(hits, start=skipped + 1):
        name = f"{hit['_index']}/{hit['_id']}" if several else hit["_id"]
        before = result.first_stage.get(Place(hit["_index"], hit["_id"]))
        parts = _parts(hit, before, result.weights) if explain else []
        table.add_row(
            *_places(rank, before), *_scores(hit, before), *parts, escape(name), _text(hit, fields)
        )
    return table


def _places(rank: int, before: FirstStage | None) -> list[str]:
    """Both ranks and the movement; a hit from beyond the window moved by nobody knows how much."""
    if before is None:
        return [str(rank), "-", ""]
    moved = before.rank - rank
    sign = f"[green]▲{moved}[/]" if moved > 0 else f"[red]▼{-moved}[/]" if moved < 0 else "="
    return [str(rank), str(before.rank), sign]


def _scores(hit: Mapping[str, Any], before: FirstStage | None) -> list[str]:
    return [_number(hit.get("_score")), _number(before.score if before else None)]


def _parts(hit: Mapping[str, Any], before: FirstStage | None, weights: Weights | None) -> list[str]:
    """The cosine with the listwise vector, and the first stage's part of the score."""
    if before is None or weights is None or hit.get("_score") is None:
        return ["-", "-"]
    first = weights.query * before.score
    added = (hit["_score"] - first) / weights.rescore
    # A hit without a vector got nothing added; one with a vector at least a rounding error.
    return [_number(added - 1 if added > _ROUNDING else None), _number(first)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _text(hit: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Title and the beginning of the text, as the response has them."""
    source = hit.get("_source") or {}
    lines = document_text(source, fields or TEXT_FIELDS).splitlines()
    joined = " · ".join(" ".join(line.split()) for line in lines if line.strip())
    return escape(joined if len(joined) <= _SNIPPET else f"{joined[:_SNIPPET]}…")
