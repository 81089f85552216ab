"""`make eval`: choose the default CPU model's weights on dev queries, report them on test queries.

Choosing sees scifact's train queries and nfcorpus's dev queries only, each with two first stages
(BM25 with and without English stemming) of a real OpenSearch node. The test queries of both, and
two collections that took no part, are measured once with what was chosen.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions
from deploy import local
from evaluation import memory
from evaluation.collections import Collection, load_collection, sampled
from evaluation.dev_set import FirstStage, dev_set, engine_hits
from evaluation.experiment import Outcome, judge, ranked_outcome
from evaluation.machine import machine, versions
from evaluation.memory import Track
from evaluation.quality_page import update_page
from evaluation.report import result_json, results_table
from evaluation.runs import Run, ScoredDocument, read_run
from evaluation.strategies import NONE, Variant, parse_variants
from evaluation.tuning import Choice, Prompt, Scored, choose, settings
from evaluation.vectors import CachedEncoder
from plugin.models import registry
from plugin.models.load import load_encoder
from plugin.models.options import ModelOptions
from plugin.ranking.errors import RanksideError, SettingsError
from plugin.ranking.hits import Strategy
from plugin.ranking.profile import PLAIN, ListwiseTemplate, ModelProfile

MODEL = "all-minilm-l6-v2"
K = 100
SEED = 1
ANALYZERS = ("standard", "english")
DEV = (("scifact", "train"), ("nfcorpus", "dev"))
TEST = ("scifact", "nfcorpus", "cranfield")
RUNS = {"msmarco-dl19": "runs/BM25.top100.trec"}
"""Collections that are only a pool of documents come with the run of the whole one."""

LAYOUTS: Mapping[str, ListwiseTemplate] = {
    "query first": PLAIN,
    "query last": ListwiseTemplate(prompt="{documents}\n{query}", passage="{text}"),
    "labelled": ListwiseTemplate(prompt="Documents:\n{documents}\nSearch Query: {query}"),
}
PROMPT_HITS = (3, 5, 10, 20)
ROCCHIO_HITS = (1, 3, 5)
REFERENCES = "query,listwise,rocchio"

app = typer.Typer(pretty_exceptions_enable=False)
out, err = Console(), Console(stderr=True)


@app.command()
def weights(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Test collections; default: RANKSIDE_SHARED_DATA.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Engine; default: the local OpenSearch, started if need be.")
    ] = None,
    queries: Annotated[int, typer.Option(min=20, help="Dev queries of each collection.")] = 200,
    dev_only: Annotated[
        bool, typer.Option("--dev-only", help="Choose, and leave the test queries alone.")
    ] = False,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Page whose tables are written anew from the result.")
    ] = None,
) -> None:
    """Choose weights and prompt on dev queries, then measure them once on test queries."""
    try:
        document = _run(data or data_folder(), url, queries, dev_only=dev_only)
    except RanksideError as error:
        err.print(f"[bold red]eval:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if json_out is not None:
        json_out.parent.mkdir(parents=True, exist_ok=True)
        json_out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if page is not None:
        update_page(page, document)


def data_folder() -> Path:
    """The folder of test collections: RANKSIDE_SHARED_DATA, else beside the repository.

    Raises:
        SettingsError: it is not there.
    """
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RANKSIDE_SHARED_DATA", default))
    if not folder.is_dir():
        raise SettingsError(
            "the test collections are not here; set RANKSIDE_SHARED_DATA to their folder"
        )
    return folder


def _run(data: Path, url: str | None, queries: int, *, dev_only: bool) -> dict[str, Any]:
    started = time.perf_counter()
    before = machine()
    encoder = CachedEncoder(load_encoder(ModelOptions(name=MODEL)))
    url = url or local.up("opensearch").url
    with _tracked() as track:
        dev = asyncio.run(first_stages(url, data, DEV, queries, track))
        choice = choose_weights(dev, encoder, track)
        profile = with_choice(encoder.profile, choice.chosen)
        tests = [] if dev_only else _tests(url, data, track)
        reports = [_report(stage, profile, encoder, track) for stage in tests]
    same = profile == registry.get(MODEL)
    out.print(
        f"Chosen: {describe(choice.chosen)}. "
        + ("The registry has it." if same else "[bold red]The registry has another setting.[/]"),
        highlight=False,
    )
    return {
        "model": {"name": MODEL, "fingerprint": encoder.profile.fingerprint},
        "k": K,
        "dev": [{"name": one.name, "queries": len(one.collection.queries)} for one in dev],
        "choice": choice_json(choice),
        "registry_agrees": same,
        "test": reports,
        "machine": before,
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 1),
    }


def _tests(url: str, data: Path, track: Track) -> list[FirstStage]:
    splits = [(name, "test") for name in TEST]
    tests = asyncio.run(first_stages(url, data, splits, None, track))
    return tests + [_from_run(data, name, path) for name, path in RUNS.items()]


async def first_stages(
    url: str,
    data: Path,
    collections: Sequence[tuple[str, str]],
    queries: int | None,
    track: Track,
) -> list[FirstStage]:
    """Top hits of every collection by every analyzer, from a real node."""
    engine = await connect(EngineOptions(url=url))
    try:
        return [
            await _first_stage(engine, _sampled(data / name, split, queries), analyzer, track)
            for name, split in collections
            for analyzer in ANALYZERS
        ]
    finally:
        await engine.close()


def choose_weights(dev: Sequence[FirstStage], encoder: CachedEncoder, track: Track) -> Choice:
    """Try the grid on ``dev``."""
    prompts = list(_prompts())
    sets = [dev_set(stage, prompts, LAYOUTS, encoder, track) for stage in dev]
    return choose(sets, settings(prompts))


def with_choice(profile: ModelProfile, chosen: Scored) -> ModelProfile:
    """``profile`` with the setting chosen; what its weights do not use stays as it is."""
    setting = chosen.setting
    weights_, prompt = setting.weights, setting.prompt
    return replace(
        profile,
        listwise=LAYOUTS[prompt.layout] if weights_.listwise else profile.listwise,
        prompt_hits=prompt.prompt_hits,
        rocchio_hits=prompt.rocchio_hits if weights_.rocchio else profile.rocchio_hits,
        fusion=weights_,
    )


def choice_json(choice: Choice) -> dict[str, Any]:
    """The choice and what it was chosen from."""
    return {
        "chosen": _scored_json(choice.chosen),
        "peak": _scored_json(choice.peak),
        "settings_tried": choice.tried,
        "by_first_stage": [
            {"first_stage": weight, "dev_nDCG@10": round(score, 5)}
            for weight, score in choice.by_first_stage.items()
        ],
        "families": [
            {
                **_scored_json(family.chosen),
                "cost": family.chosen.setting.cost,
                "behind": round(family.behind, 5),
                "standard_error": round(family.error, 5),
                "within_noise": family.within_noise,
            }
            for family in choice.families
        ],
    }


def describe(scored: Scored) -> str:
    """A setting in words."""
    weights_, prompt = scored.setting.weights, scored.setting.prompt
    parts = [f"{name} {weight:g}" for name, weight in weights_.as_dict().items() if weight]
    used = [f"prompt hits {prompt.prompt_hits}"]
    used += [f"Rocchio hits {prompt.rocchio_hits}"] if weights_.rocchio else []
    used += [f"layout {prompt.layout!r}"] if weights_.listwise else []
    return f"{', '.join(parts)}; {', '.join(used)}; dev nDCG@10 {scored.score:.4f}"


def _scored_json(scored: Scored) -> dict[str, Any]:
    setting = scored.setting
    return {
        "signals": {name: w for name, w in setting.weights.as_dict().items() if w},
        "layout": setting.prompt.layout,
        "prompt_hits": setting.prompt.prompt_hits,
        "rocchio_hits": setting.prompt.rocchio_hits,
        "dev_nDCG@10": round(scored.score, 5),
        "plateau": round(scored.plateau, 5),
    }


def _prompts() -> Iterator[Prompt]:
    """Rocchio does not see the layout, so only one layout is tried with every ``rocchio_hits``."""
    middle = ROCCHIO_HITS[len(ROCCHIO_HITS) // 2]
    for place, layout in enumerate(LAYOUTS):
        for prompt_hits in PROMPT_HITS:
            for rocchio_hits in ROCCHIO_HITS if place == 0 else (middle,):
                if rocchio_hits <= prompt_hits:
                    yield Prompt(layout, prompt_hits, rocchio_hits)


async def _first_stage(
    engine: Engine, collection: Collection, analyzer: str, track: Track
) -> FirstStage:
    hits = await engine_hits(engine, collection, analyzer, K, track)
    return FirstStage(f"{collection.name} {collection.split}, BM25 {analyzer}", collection, hits)


def _from_run(data: Path, name: str, path: str) -> FirstStage:
    collection = load_collection(data / name)
    run: Run = read_run(data / name / path)
    hits = memory.first_stage_hits(collection, run, K)
    return FirstStage(f"{name} test, {Path(path).name}", collection, hits)


def _sampled(folder: Path, split: str, queries: int | None) -> Collection:
    """The collection with ``queries`` of its judged queries, drawn by the fixed seed."""
    return sampled(load_collection(folder, split), queries, SEED)


def _report(
    stage: FirstStage, profile: ModelProfile, encoder: CachedEncoder, track: Track
) -> dict[str, Any]:
    """Measure the choice on judgments that took no part in it."""
    hits = memory.with_vectors(stage.hits, encoder, track)
    queries = stage.collection.queries
    first = {
        query: [ScoredDocument(hit.id, hit.score) for hit in found] for query, found in hits.items()
    }
    outcomes = [Outcome(NONE, first, {})]
    chosen = Variant("e2rank", Strategy.E2RANK, profile.fusion)
    for variant in (*parse_variants(REFERENCES), chosen):
        fusion = variant.fusion or profile.fusion
        weights_ = {name: weight for name, weight in fusion.as_dict().items() if weight}
        rankings = memory.rank(queries, hits, variant, encoder, profile=profile, track=track)
        outcomes.append(ranked_outcome(variant, rankings, weights_))
    results = judge(stage.collection, outcomes)
    out.print(results_table(results, f"{stage.name}: {len(queries)} queries"))
    return {
        "name": stage.name,
        "queries": len(queries),
        "documents": len(stage.collection.documents),
        "results": [result_json(result) for result in results],
    }


@contextmanager
def _tracked() -> Iterator[Track]:
    """Progress on standard error; a line a step where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, disable=not err.is_terminal) as bar:

        def track(description: str, total: int) -> Callable[[int], None]:
            if not err.is_terminal:
                err.print(f"{description} ({total})", highlight=False)
            task = bar.add_task(description, total=total)
            return lambda steps: bar.advance(task, steps)

        yield track


if __name__ == "__main__":
    app()
