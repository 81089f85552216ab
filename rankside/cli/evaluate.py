"""`rankside eval`: how good is reranking on a judged collection, and is the gain more than luck."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.access import engine_options, named_client, named_engine
from rankside.cli.console import (
    ConfigOption,
    SidecarOption,
    UrlOption,
    called_as,
    check_folder,
    check_writable,
    counts_of,
    err,
    out,
    print_json,
    progress,
    write_file,
)
from rankside.cli.engine import start_engine
from rankside.settings import Settings, load_settings

if TYPE_CHECKING:
    from connectors.options import EngineOptions
    from evaluation.collections import Collection
    from evaluation.experiment import Through
    from evaluation.memory import Track
    from evaluation.session import Evaluation, EvaluationOptions

STDOUT = "-"

FolderArgument = Annotated[
    Path,
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
AnalyzerOption = Annotated[
    str, typer.Option(help="Text analyzer of the index made here, as `english`.")
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
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
    folder: FolderArgument,
    *,
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
    `rankside-eval-…`.
    """
    try:
        from evaluation.collections import load_collection
        from evaluation.session import EvaluationOptions
        from evaluation.strategies import depth, grid, parse_variants
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[evaluation,sidecar]"
        ) from error
    places = _Places(json_out, html, plots, runs_out)
    places.check()
    settings = load_settings(config)
    collection = load_collection(folder, split)  # first: a wrong folder should start no engine
    chosen = _through(through, run)
    windows = counts_of("--window", window)
    variants = grid(parse_variants(strategies), windows, counts_of("--prompt-hits", prompt_hits))
    options = EvaluationOptions(
        variants=variants,
        k=depth(variants, windows),
        run=run,
        through=chosen,
        analyzer=analyzer,
        engine=None if run else _engine(settings, url, quiet=places.quiet),
        sidecar=named_client(settings, sidecar),
        serve_arguments=("--config", config) if config else (),
        model=settings.model,
    )
    with _tracked(quiet=places.quiet) as track:
        evaluation = _run(collection, options, track)
    _publish(evaluation, places, per_query=per_query)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where results go, as typed."""

    json_out: str | None
    html: Path | None
    plots: Path | None
    runs: Path | None

    @property
    def quiet(self) -> bool:
        """Whether standard output is for JSON alone."""
        return self.json_out == STDOUT

    @property
    def json_file(self) -> Path | None:
        """The file for JSON, if it is one."""
        return Path(self.json_out) if self.json_out is not None and not self.quiet else None

    def check(self) -> None:
        """See that the results can be written before the hours it may take to have them."""
        for option, file in (("--json", self.json_file), ("--html", self.html)):
            if file is not None:
                check_writable(option, file, make_folder=True)
        for option, folder in (("--plots", self.plots), ("--runs-out", self.runs)):
            if folder is not None:
                check_folder(option, folder)


def _through(named: str | None, run: Path | None) -> Through:
    from evaluation.experiment import Through

    if named is None:
        return Through.MEMORY if run else Through.ENGINE
    try:
        return Through(named)
    except ValueError as error:
        raise SettingsError(f"--through is {named!r}; use engine or memory") from error


def _engine(settings: Settings, url: str | None, *, quiet: bool) -> EngineOptions:
    """The engine named, else set, else the local one that runs, else OpenSearch, started."""
    named = named_engine(settings, url)
    if named is None and _local_runs():
        named = engine_options(settings)
    return named or start_engine(settings, quiet=quiet)


def _local_runs() -> bool:
    from deploy import local

    return any(local.status(name) is not None for name in local.ENGINES)


def _run(collection: Collection, options: EvaluationOptions, track: Track) -> Evaluation:
    from evaluation.session import evaluate as run_evaluation

    return asyncio.run(run_evaluation(collection, options, track))


@contextmanager
def _tracked(*, quiet: bool) -> Iterator[Track]:
    """Progress bars, one a step."""
    with progress(quiet=quiet) as bar:

        def track(description: str, total: int) -> Callable[[int], None]:
            task = bar.add_task(description, total=total)
            return lambda steps: bar.advance(task, steps)

        yield track


def _publish(evaluation: Evaluation, places: _Places, *, per_query: bool) -> None:
    from evaluation.experiment import unranked

    document = evaluation.to_json(per_query=per_query)
    if places.quiet:
        print_json(document)
    else:
        _print(evaluation)
    _write(evaluation, document, places)
    left = unranked([result.outcome for result in evaluation.results])
    if left:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(left.items()))
        raise PartlyDone(
            f"not every search was reranked: {reasons}; the figures hold what was returned"
        )


def _write(evaluation: Evaluation, document: dict[str, Any], places: _Places) -> None:
    """Every file that was asked for; whatever can be kept of a finished run is."""
    from evaluation.report import write_runs

    with ExitStack() as rest:
        if places.html is not None or places.plots is not None:
            rest.callback(_write_pictures, evaluation, places)
        if places.runs is not None:
            rest.callback(write_runs, places.runs, evaluation.results, evaluation.collection.name)
        if places.json_file is not None:
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            write_file("--json", places.json_file, text)


def _write_pictures(evaluation: Evaluation, places: _Places) -> None:
    from evaluation.html_report import html_report
    from evaluation.plots import plots

    drawn = plots(evaluation.baseline, evaluation.results) if evaluation.baseline else []
    if places.html is not None:
        command = shlex.join([*called_as(), *sys.argv[1:]])
        write_file("--html", places.html, html_report(evaluation, drawn, command))
    if places.plots is not None:
        for plot in drawn:
            plot.write(places.plots, evaluation.collection.name)


def _print(evaluation: Evaluation) -> None:
    from evaluation.report import describe_first_stage, results_table, signals_line, verdict

    collection, options = evaluation.collection, evaluation.options
    first = describe_first_stage(evaluation.first_stage)
    title = (
        f"{collection.name} ({collection.split}): {len(collection.queries)} queries, "
        f"{evaluation.documents} documents, window {options.k}"
    )
    out.print(results_table(evaluation.results, title))
    out.print(verdict(evaluation.results), highlight=False)
    out.print(f"First stage: {first}. Ranked through: {options.through.value}.", highlight=False)
    model = evaluation.model
    if model:
        signals = signals_line(evaluation.results)
        out.print(f"Model: {model['name']} ({model['fingerprint']}). {signals}.", highlight=False)
    err.print(f"Seconds: {evaluation.seconds}", highlight=False)
