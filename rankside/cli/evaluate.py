"""`rankside eval`: how good is reranking on a judged collection, and is the gain more than luck."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.access import engine_options, named_client, named_engine
from rankside.cli.console import (
    ConfigOption,
    SidecarOption,
    UrlOption,
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
    _check_places(json_out, runs_out)
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
        engine=None if run else _engine(settings, url, quiet=json_out == STDOUT),
        sidecar=named_client(settings, sidecar),
        serve_arguments=("--config", config) if config else (),
        model=settings.model,
    )
    with _tracked(quiet=json_out == STDOUT) as track:
        evaluation = _run(collection, options, track)
    _publish(evaluation, json_out, per_query=per_query, runs_out=runs_out)


def _check_places(json_out: str | None, runs_out: Path | None) -> None:
    """See that the results can be written before the hours it may take to have them."""
    json_file = _json_file(json_out)
    if json_file is not None:
        check_writable("--json", json_file, make_folder=True)
    if runs_out is not None:
        check_folder("--runs-out", runs_out)


def _json_file(json_out: str | None) -> Path | None:
    return Path(json_out) if json_out is not None and json_out != STDOUT else None


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


def _publish(
    evaluation: Evaluation, json_out: str | None, *, per_query: bool, runs_out: Path | None
) -> None:
    from evaluation.experiment import unranked
    from evaluation.report import write_runs

    document = evaluation.to_json(per_query=per_query)
    if json_out == STDOUT:
        print_json(document)
    else:
        _print(evaluation)
    try:
        json_file = _json_file(json_out)
        if json_file is not None:
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            write_file("--json", json_file, text)
    finally:  # whatever can be kept of a finished run is
        if runs_out is not None:
            write_runs(runs_out, evaluation.results, evaluation.collection.name)
    left = unranked([result.outcome for result in evaluation.results])
    if left:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(left.items()))
        raise PartlyDone(
            f"not every search was reranked: {reasons}; the figures hold what was returned"
        )


def _print(evaluation: Evaluation) -> None:
    from evaluation.report import results_table, signals_line, verdict

    collection, options = evaluation.collection, evaluation.options
    first = ", ".join(str(value) for value in evaluation.first_stage.values())
    title = (
        f"{collection.name} ({collection.split}): {len(collection.queries)} queries, "
        f"{len(collection.documents)} documents, window {options.k}"
    )
    out.print(results_table(evaluation.results, title))
    out.print(verdict(evaluation.results), highlight=False)
    out.print(f"First stage: {first}. Ranked through: {options.through.value}.", highlight=False)
    model = evaluation.model
    if model:
        signals = signals_line(evaluation.results)
        out.print(f"Model: {model['name']} ({model['fingerprint']}). {signals}.", highlight=False)
    err.print(f"Seconds: {evaluation.seconds}", highlight=False)
