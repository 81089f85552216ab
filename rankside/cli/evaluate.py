"""`rankside eval`: how good is reranking on a judged collection, and is the gain more than luck."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.ranking.errors import SettingsError
from rankside.access import named_client
from rankside.cli.console import (
    ConfigOption,
    SidecarOption,
    UrlOption,
    counts_of,
    names_of,
)
from rankside.cli.evaluate_output import Places, publish
from rankside.cli.measuring import (
    AnalyzerOption,
    BodyOption,
    JsonOption,
    Judged,
    LiveOption,
    QrelsOption,
    QueriesOption,
    check_installed,
    engine_to_measure,
    tracked,
)
from rankside.cli.search import TextFieldsOption, VectorFieldOption
from rankside.settings import load_settings

if TYPE_CHECKING:
    from evaluation.collections import Collection
    from evaluation.experiment import Through
    from evaluation.memory import Track
    from evaluation.session import Evaluation, EvaluationOptions
    from evaluation.strategies import Variant

FolderArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="BEIR folder: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv."
    ),
]
RunOption = Annotated[
    Path | None,
    typer.Option(help="TREC run as the first stage, ranked in memory; no engine is needed."),
]
StrategiesOption = Annotated[
    str,
    typer.Option(
        help="Comma-separated: none, query, listwise, rocchio, e2rank, insertrank, cascade, "
        "e2rank:listwise=1,query=0.5,rocchio=0,first_stage=0.1,prompt_hits=20."
    ),
]
WindowOption = Annotated[
    str,
    typer.Option(help="Hits of the rerank window; several, with commas, make a grid: 20,100."),
]
PromptHitsOption = Annotated[
    str | None,
    typer.Option(help="How many hits a strategy reads; default: the model's. A grid: 10,20."),
]
SplitOption = Annotated[str, typer.Option(help="Which judgments: qrels/SPLIT.tsv.")]
ThroughOption = Annotated[
    str | None,
    typer.Option(
        help="engine: real searches, sidecar and all (default); memory: the same core over the "
        "first stage's hits (default with --run)."
    ),
]
PerQueryFlag = Annotated[
    bool, typer.Option("--per-query", help="Put every query's measures into the JSON.")
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="OUT", help="Write a report as one HTML file, plots and all."),
]
PlotsOption = Annotated[
    Path | None, typer.Option("--plots", help="Folder for the plots as SVG and PNG files.")
]
RunsOption = Annotated[Path | None, typer.Option(help="Folder for one TREC run file a strategy.")]


def evaluate(
    folder: FolderArgument = None,
    *,
    index: LiveOption = None,
    queries: QueriesOption = None,
    qrels: QrelsOption = None,
    query_body: BodyOption = None,
    text_fields: TextFieldsOption = None,
    vector_field: VectorFieldOption = None,
    run: RunOption = None,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    strategies: StrategiesOption = "none,query,e2rank",
    window: WindowOption = "100",
    prompt_hits: PromptHitsOption = None,
    split: SplitOption = "test",
    through: ThroughOption = None,
    analyzer: AnalyzerOption = "standard",
    json_out: JsonOption = None,
    per_query: PerQueryFlag = False,
    html: HtmlOption = None,
    plots: PlotsOption = None,
    runs_out: RunsOption = None,
    config: ConfigOption = None,
) -> None:
    """Rank a judged collection by several strategies, and test the gain over the first stage.

    Without --run the first stage is a real engine: --url, the settings', or the local OpenSearch,
    which is started if need be. The collection is indexed there once, with vectors, and kept as
    `rankside-eval-…`. With --index the documents, texts and vectors are those of your own index.
    """
    check_installed()
    from evaluation.session import EvaluationOptions

    places = Places(json_out, html, plots, runs_out)
    places.check()
    settings = load_settings(config)
    judged = Judged(folder, index, queries, qrels)
    collection = judged.load(split)  # first: a wrong folder should start no engine
    live = judged.live(query_body, names_of(text_fields), vector_field)
    variants, k = _variants(strategies, window, prompt_hits)
    options = EvaluationOptions(
        variants=variants,
        k=k,
        run=run,
        live=live,
        through=_through(through, run),
        analyzer=analyzer,
        engine=None
        if run
        else engine_to_measure(settings, url, has_index=live is not None, quiet=places.quiet),
        sidecar=named_client(settings, sidecar),
        serve_arguments=("--config", config) if config else (),
        model=settings.model,
    )
    with tracked(quiet=places.quiet) as track:
        evaluation = _run(collection, options, track)
    publish(evaluation, places, per_query=per_query)


def _variants(
    strategies: str, window: str, prompt_hits: str | None
) -> tuple[tuple[Variant, ...], int]:
    """What is compared, and how many hits the first stage is asked for."""
    from evaluation.strategies import depth, grid, parse_variants

    windows = counts_of("--window", window)
    hits = counts_of("--prompt-hits", prompt_hits)
    variants = grid(parse_variants(strategies), windows, hits)
    return variants, depth(variants, windows)


def _through(named: str | None, run: Path | None) -> Through:
    from evaluation.experiment import Through

    if named is None:
        return Through.MEMORY if run else Through.ENGINE
    try:
        return Through(named)
    except ValueError as error:
        raise SettingsError(f"--through is {named!r}; use engine or memory") from error


def _run(collection: Collection, options: EvaluationOptions, track: Track) -> Evaluation:
    from evaluation.session import evaluate as run_evaluation

    return asyncio.run(run_evaluation(collection, options, track))
