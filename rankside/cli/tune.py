"""`rankside tune`: which weights, prompt hits and window suit an index, and are they worth it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from connectors.search_options import DEFAULT_WINDOW
from plugin.ranking.errors import PartlyDone
from rankside.cli.console import (
    ConfigOption,
    UrlOption,
    check_writable,
    counts_of,
    err,
    names_of,
    out,
    write_file,
)
from rankside.cli.measuring import (
    STDOUT,
    AnalyzerOption,
    BodyOption,
    JsonOption,
    Judged,
    LiveOption,
    QrelsOption,
    QueriesOption,
    check_installed,
    check_json,
    engine_to_measure,
    tracked,
    write_json,
)
from rankside.cli.search import TextFieldsOption, VectorFieldOption
from rankside.settings import load_settings
from rankside.tuned_settings import check_ours, environment, text_for

if TYPE_CHECKING:
    from evaluation.tune_session import TuneSession

FolderArgument = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Judged queries: docs/reference/collections.md has forms."),
]
RunOption = Annotated[
    Path | None, typer.Option(help="TREC run as the first stage; no engine is needed.")
]
SplitOption = Annotated[str, typer.Option(help="Which judgments to choose on.")]
WindowsOption = Annotated[str, typer.Option("--window", help="Windows to try, with commas.")]
PromptHitsOption = Annotated[
    str, typer.Option("--prompt-hits", help="Numbers of prompt hits to try, with commas.")
]
SampleOption = Annotated[
    int | None,
    typer.Option("--sample", min=1, help="So many of the judged queries, drawn by --seed."),
]
FoldsOption = Annotated[int, typer.Option(min=2, max=50, help="Parts of cross-validation.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the folds and of --sample.")]
LLMCallsOption = Annotated[
    int,
    typer.Option(
        "--llm-calls",
        min=0,
        help="Calls of the settings' LLM to choose its score mode with; 0: it is not chosen.",
    ),
]
AnswersOption = Annotated[
    Path | None, typer.Option(help="File of the LLM's answers, to go on where a run was ended.")
]
WriteOption = Annotated[
    Path | None,
    typer.Option("--write", help="File for the settings: .toml, or .env for variables."),
]
DryRunFlag = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")
]


def tune(
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
    split: SplitOption = "dev",
    window: WindowsOption = "20,50,100",
    prompt_hits: PromptHitsOption = "3,5,10,20",
    sample: SampleOption = None,
    folds: FoldsOption = 5,
    seed: SeedOption = 1,
    llm_calls: LLMCallsOption = 0,
    answers: AnswersOption = None,
    analyzer: AnalyzerOption = "standard",
    write: WriteOption = None,
    json_out: JsonOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Choose weights, prompt hits and window on judged queries, and say what that is worth.

    The figure is that of queries which took no part in the choice. The present settings are kept
    unless the gain over them is more than noise. Never give it the queries you report on.
    """
    check_installed()
    from evaluation.collections import sampled
    from evaluation.tune import TuneOptions
    from evaluation.tune_session import SessionOptions, forecast, run_tuning

    _check_places(json_out, write)
    settings, quiet = load_settings(config), json_out == STDOUT
    judged = Judged(folder, index, queries, qrels)
    collection = sampled(judged.load(split), sample, seed)
    live = judged.live(query_body, names_of(text_fields), vector_field)
    needed = run is None and (live is not None or not dry_run)
    options = SessionOptions(
        tune=TuneOptions(
            windows=counts_of("--window", window),
            prompt_hits=counts_of("--prompt-hits", prompt_hits),
            folds=folds,
            seed=seed,
            present_window=settings.pipelines.window or DEFAULT_WINDOW,
        ),
        run=run,
        engine=engine_to_measure(settings, url, has_index=live is not None, quiet=quiet)
        if needed
        else None,
        live=live,
        analyzer=analyzer,
        model=settings.model,
        llm=settings.llm,
        llm_calls=llm_calls,
        answers=answers,
    )
    if dry_run:
        _tell(asyncio.run(forecast(collection, options)), json_out)
        return
    with tracked(quiet=quiet) as track:
        session = asyncio.run(run_tuning(collection, options, track))
    _publish(session, json_out, write)


def _check_places(json_out: str | None, write: Path | None) -> None:
    check_json(json_out)
    if write is not None:
        text_for(write, {}, "")
        check_ours(write)
        check_writable("--write", write)


def _tell(forecast: dict[str, Any], json_out: str | None) -> None:
    """The forecast of `--dry-run`."""
    write_json(forecast, json_out)
    if json_out == STDOUT:
        return
    texts = forecast["texts_to_encode_at_most"]
    _line(
        f"{_name(forecast['dataset'], forecast['split'])}: {forecast['queries']} queries in "
        f"{forecast['folds']} folds, {forecast['settings_to_try']} settings."
    )
    _line(
        f"Texts to encode, at most, less those remembered: {texts['documents']} documents, "
        f"{texts['queries']} queries, {texts['listwise_prompts']} listwise prompts."
    )
    _line(_llm_line(forecast["llm"]))


def _llm_line(cost: dict[str, Any] | None) -> str:
    if cost is None:
        return "LLM: not asked (--llm-calls 0)."
    price = cost["price_at_most"]
    return (
        f"LLM: {cost['calls']} calls ({len(cost['score_modes'])} score modes, {cost['queries']} "
        f"queries), about {cost['prompt_tokens_about']:,} tokens of prompts and at most "
        f"{cost['answer_tokens_at_most']:,} of answers; "
        + (f"at most {price:,.2f} by llm.price." if price else "llm.price is not set.")
    )


def _publish(session: TuneSession, json_out: str | None, write: Path | None) -> None:
    if json_out != STDOUT:
        _print(session)
    write_json(session.to_json(), json_out)
    if write is not None:
        _write(session, write)
    if session.unanswered:
        raise PartlyDone(
            f"the LLM gave no order for {session.unanswered} of its rankings; these count as the "
            "first stage's, and the reasons are in --json"
        )


def _write(session: TuneSession, path: Path) -> None:

    if session.settings:
        write_file("--write", path, text_for(path, session.settings, session.note))
    else:
        err.print(f"{path} is not written: the present settings are kept.", highlight=False)


def _print(session: TuneSession) -> None:
    from evaluation.tune_report import folds_line, score_mode_line, sentence, tuned_table

    tuned, collection = session.tuned, session.collection
    if tuned is not None:
        title = (
            f"{_name(collection.name, collection.split)}: {len(collection.queries)} queries, "
            f"{tuned.options.folds} folds, {tuned.tried} settings, {tuned.model.name}"
        )
        out.print(tuned_table(tuned, title))
        _line(f"Chosen on all queries: {tuned.chosen}. {folds_line(tuned)}")
        _line(sentence(tuned))
    if session.score_mode is not None:
        _line(score_mode_line(session.score_mode))
    if session.settings:
        _line("Settings, as variables:")
        _line(environment(session.settings))
    err.print(f"Seconds: {session.seconds}", highlight=False)


def _line(text: str) -> None:
    out.print(escape(text), highlight=False, soft_wrap=True)


def _name(dataset: str, split: str) -> str:
    return f"{dataset} ({split})" if split else dataset
