"""`rankside train`: a listwise adapter for an index as it is, and free text to train one on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plugin.ranking.errors import SettingsError
from rankside.cli.console import (
    ConfigOption,
    JsonFlag,
    UrlOption,
    check_folder,
    out,
    print_json,
)
from rankside.cli.exits import epilog
from rankside.cli.measuring import AnalyzerOption, engine_to_measure, tracked
from rankside.settings import Settings, load_settings

if TYPE_CHECKING:
    from evaluation.collections import Collection
    from evaluation.memory import Track
    from evaluation.runs import Run
    from training.recipe import FreeText
    from training.sources import Source

ANSWERS, JUDGMENTS = "answers", "judgments"

app = typer.Typer(help="Train a listwise adapter, and make text to train one on.")

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that is written.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        help="BEIR folder: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv. With --index no corpus."
    ),
]
SplitOption = Annotated[str, typer.Option(help="Judgments to train on: qrels/SPLIT.tsv.")]
DevSplitOption = Annotated[
    str | None,
    typer.Option(help="Judgments whose loss is taken before and after; trained on are they not."),
]
RunOption = Annotated[
    Path | None,
    typer.Option(help="TREC run as the first stage of both splits; no engine is needed."),
]
TrainIndexOption = Annotated[
    str | None,
    typer.Option(
        "--index", help="Your own index: the first stage, texts and stored vectors are taken of it."
    ),
]
PermutationsOption = Annotated[
    Path | None,
    typer.Option(help="JSONL of query, passages and permutation (numbers from 1), as LLMs answer."),
]
TeacherOption = Annotated[
    str,
    typer.Option(
        help="What orders documents of one grade: answers (nearness to query and right answers), "
        "judgments (nothing does), or a TREC run, as `rankside eval --runs-out` writes of any "
        "strategy."
    ),
]
WindowOption = Annotated[
    int, typer.Option(min=2, max=10_000, help="First-stage hits that an example is drawn from.")
]
PromptHitsOption = Annotated[int, typer.Option(min=1, max=1000, help="Hits in the prompt.")]
CandidatesOption = Annotated[
    int, typer.Option(min=2, max=1000, help="Documents ranked in one example.")
]
EpochsOption = Annotated[float, typer.Option(min=0.001, help="How often each example is seen.")]
BatchOption = Annotated[int, typer.Option(min=2, help="Prompts run at once on each device.")]
AccumulateOption = Annotated[int, typer.Option(min=1, help="Batches in a step.")]
RateOption = Annotated[float, typer.Option("--learning-rate", min=1e-8, help="Of the first step.")]
RankOption = Annotated[int, typer.Option(min=1, max=1024, help="LoRA's rank.")]
FullFlag = Annotated[bool, typer.Option("--full", help="Train all weights, not LoRA's matrices.")]
CheckpointingFlag = Annotated[
    bool,
    typer.Option("--checkpointing", help="Compute activations twice, for much less memory."),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of what is drawn, shuffled and started at.")]
SaveOption = Annotated[int, typer.Option(min=1, help="Steps between two checkpoints.")]
ResumeFlag = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint in OUT, if there is one.")
]
DryRunFlag = Annotated[
    bool, typer.Option("--dry-run", help="Read and lay out everything; say what it would take.")
]
PackagesOption = Annotated[
    Path | None,
    typer.Option(help="Debian control file with long descriptions, as apt's Translation-en."),
]
PythonFlag = Annotated[
    bool, typer.Option("--python/--no-python", help="Docstrings of this Python's library.")
]
DocumentsOption = Annotated[int, typer.Option(min=20, help="Documents at most.")]
QueriesOption = Annotated[int, typer.Option(min=10, help="Queries at most.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Where examples come from: what is asked and judged, and the first stage of it."""

    data: Path | None
    splits: tuple[str, ...]
    run: Path | None
    index: str | None
    window: int
    analyzer: str

    def __post_init__(self) -> None:
        if self.data is None and (self.run is not None or self.index is not None):
            raise SettingsError("--run and --index need --data with the queries and judgments")
        if self.run is not None and self.index is not None:
            raise SettingsError("--run and --index are both first stages; leave one out")


@app.command("adapter", epilog=epilog("train adapter"))
def adapter(
    folder: OutArgument,
    *,
    data: DataOption = None,
    split: SplitOption = "train",
    dev_split: DevSplitOption = None,
    run: RunOption = None,
    index: TrainIndexOption = None,
    url: UrlOption = None,
    analyzer: AnalyzerOption = "standard",
    permutations: PermutationsOption = None,
    teacher: TeacherOption = ANSWERS,
    window: WindowOption = 100,
    prompt_hits: PromptHitsOption = 5,
    candidates: CandidatesOption = 24,
    epochs: EpochsOption = 1.0,
    batch: BatchOption = 16,
    accumulate: AccumulateOption = 1,
    learning_rate: RateOption = 2e-4,
    rank: RankOption = 16,
    full: FullFlag = False,
    checkpointing: CheckpointingFlag = False,
    seed: SeedOption = 1,
    save_steps: SaveOption = 100,
    resume: ResumeFlag = False,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train the prompt side of the settings' model against document vectors as they are.

    Serve it with `model.listwise_adapter`; no document is embedded again. Which weight its signal
    deserves beside the others, `rankside tune` tells.
    """
    try:
        from training.adapter import TrainingPlan
        from training.examples import Depth
        from training.session import AdapterOptions, AdapterSession
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[training,sidecar]"
        ) from error
    check_folder("OUT", folder)
    settings = load_settings(config)
    options = AdapterOptions(
        model=settings.model,
        plan=TrainingPlan(
            epochs=epochs,
            batch=batch,
            accumulate=accumulate,
            learning_rate=learning_rate,
            rank=None if full else rank,
            seed=seed,
            save_steps=save_steps,
            checkpointing=checkpointing,
        ),
        depth=Depth(prompt_hits, candidates, seed),
        permutations=permutations,
        teacher=_teacher(teacher),
        answers=teacher == ANSWERS and not dry_run,  # to know them costs vectors
    )
    splits = (split,) if dev_split is None else (split, dev_split)
    wanted = _Wanted(data, splits, run, index, window, analyzer)
    with tracked(quiet=as_json) as track:
        sources = _sources(settings, wanted, url, track)
        dev = sources[1] if len(sources) > 1 else None
        session = AdapterSession(options, sources[:1], dev, track)
        result = session.outline() if dry_run else session.train(folder, resume=resume)
    _print({**asdict(result), "folder": str(folder)}, as_json=as_json)


@app.command("recipe", epilog=epilog("train recipe"))
def recipe(
    folder: OutArgument,
    *,
    packages: PackagesOption = None,
    python: PythonFlag = True,
    documents: DocumentsOption = 20_000,
    queries: QueriesOption = 10_000,
    seed: SeedOption = 1,
    as_json: JsonFlag = False,
) -> None:
    """Make a BEIR folder of free text, with queries drawn from the text itself."""
    from training.recipe import write_recipe

    counts = write_recipe(
        folder, _texts(packages, python=python), documents=documents, queries=queries, seed=seed
    )
    _print({**asdict(counts), "folder": str(folder)}, as_json=as_json)


def _teacher(named: str) -> Run | None:
    from evaluation.runs import read_run

    return None if named in {ANSWERS, JUDGMENTS} else read_run(Path(named))


def _sources(settings: Settings, wanted: _Wanted, url: str | None, track: Track) -> list[Source]:
    """One source a split; none where only permutations are trained on."""
    from evaluation.collections import load_collection
    from evaluation.memory import first_stage_hits
    from evaluation.runs import read_run
    from training.sources import Source

    if wanted.data is None:
        return []
    if wanted.run is None:
        return asyncio.run(_searched(settings, wanted, wanted.data, url, track))
    run = read_run(wanted.run)
    collections = [load_collection(wanted.data, split) for split in wanted.splits]
    return [Source(one, first_stage_hits(one, run, wanted.window)) for one in collections]


def _judged(folder: Path, split: str, index: str) -> Collection:
    """The judged queries in ``folder``; their documents are in ``index``."""
    from evaluation.judged import judged_collection

    qrels = folder / "qrels" / f"{split}.tsv"
    return judged_collection(index, folder / "queries.jsonl", qrels)


async def _searched(
    settings: Settings, wanted: _Wanted, data: Path, url: str | None, track: Track
) -> list[Source]:
    from connectors.connect import connect
    from evaluation.collections import load_collection
    from evaluation.memory import first_stage_hits
    from plugin.models.load import pinned, profile_for
    from training.sources import Source, engine_run, index_source

    # First: a wrong folder should start no engine.
    if wanted.index is None:
        collections = [load_collection(data, split) for split in wanted.splits]
    else:
        collections = [_judged(data, split, wanted.index) for split in wanted.splits]
    engine = await connect(
        engine_to_measure(settings, url, has_index=wanted.index is not None, quiet=True)
    )
    try:
        if wanted.index is not None:
            profile = profile_for(pinned(settings.model))
            return [
                await index_source(engine, wanted.index, one, wanted.window, profile, track)
                for one in collections
            ]
        found = []
        for one in collections:
            run = await engine_run(
                engine, one, wanted.window, analyzer=wanted.analyzer, track=track
            )
            found.append(Source(one, first_stage_hits(one, run, wanted.window)))
        return found
    finally:
        await engine.close()


def _texts(packages: Path | None, *, python: bool) -> Iterator[FreeText]:
    from rankside.demo.corpus import standard_library_documents
    from training.recipe import package_descriptions, summarised

    if python:
        for one in standard_library_documents():
            yield summarised(one.id, one.title, one.text)
    if packages is not None:
        yield from package_descriptions(packages)


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        if value is not None:
            out.print(f"{name.replace('_', ' ')}: {value}", highlight=False)
