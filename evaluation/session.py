"""One run of `rankside eval`: from a folder to results, through an engine or in memory."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation import engine as through_engine
from evaluation import live_index
from evaluation.collections import Collection
from evaluation.experiment import (
    Outcome,
    Result,
    Through,
    in_memory,
    judge,
    leaders,
    through_searches,
)
from evaluation.live_index import LiveIndex
from evaluation.local_sidecar import local_sidecar
from evaluation.losses import Loss, loss_json, worst_losses
from evaluation.machine import machine, versions
from evaluation.memory import Track, untracked
from evaluation.report import result_json, verdict
from evaluation.runs import Run, read_run
from evaluation.strategies import NONE, Variant
from evaluation.vectors import CachedEmbedder, CachedEncoder
from ingest.embedders import DocumentEmbedder, SidecarEmbedder
from plugin.models.load import load_encoder
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Strategy
from plugin.ranking.wire import ModelCard


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What to evaluate, and through what.

    Of each query's first stage, ``k`` hits are taken, the largest window of ``variants``. ``run``
    is a TREC file that stands in for the engine's first stage; strategies then are ranked
    in memory. ``live`` is an index that is there already, instead of one made of the collection's
    documents. ``sidecar`` None starts one for the length of the run, with ``serve_arguments``.
    """

    variants: Sequence[Variant]
    k: int = 100
    run: Path | None = None
    live: LiveIndex | None = None
    through: Through = Through.ENGINE
    analyzer: str = through_engine.STANDARD
    engine: EngineOptions | None = None
    sidecar: SidecarClientOptions | None = None
    serve_arguments: tuple[str, ...] = ()
    model: ModelOptions = field(default_factory=ModelOptions)
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.run is not None and self.through is Through.ENGINE:
            raise SettingsError(
                "a run is ranked in memory, not through the engine; leave out --run or --through"
            )
        if self.live is not None and self.through is Through.MEMORY:
            raise SettingsError(
                "an index is evaluated by searching it; leave out --index, or --run and --through"
            )

    @property
    def to_run(self) -> Sequence[Variant]:
        """The variants and `none`, which each of them is compared with."""
        return self.variants if NONE in self.variants else (NONE, *self.variants)

    @property
    def ranks(self) -> bool:
        """Whether anything is ranked at all: the first stage alone needs no model."""
        return any(variant.strategy is not Strategy.NONE for variant in self.variants)


@dataclass(slots=True)
class Evaluation:
    """Results of one collection, and how they came about; ``seconds`` is by step.

    ``documents`` is how many are searched. ``losses`` are the worst of each strategy's best
    setting, by label; ``texts`` holds the text of every document in them.
    """

    collection: Collection
    options: EvaluationOptions
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    documents: int = 0
    baseline: Result | None = None
    first_stage: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    losses: dict[str, list[Loss]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self, *, per_query: bool = False) -> dict[str, Any]:
        """The document of `--json`."""
        return {
            "dataset": self.collection.name,
            "split": self.collection.split,
            "k": self.options.k,
            "queries": len(self.collection.queries),
            "documents": self.documents,
            "through": self.options.through.value,
            "first_stage": self.first_stage,
            "model": self.model,
            "verdict": verdict(self.results),
            "results": [result_json(one, per_query=per_query) for one in self.results],
            **({"losses": self._losses_json()} if per_query else {}),
            "date": self.started.isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": versions(),
            "seconds": self.seconds,
        }

    def _losses_json(self) -> dict[str, Any]:
        """Strategy → its worst losses, queries and documents with their text."""
        return {
            label: [
                loss_json(one, self.collection.queries[one.query], self.texts) for one in losses
            ]
            for label, losses in self.losses.items()
        }

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the block's time to ``seconds``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = self.seconds.get(step, 0.0) + time.perf_counter() - start
            self.seconds[step] = round(elapsed, 3)


async def evaluate(
    collection: Collection, options: EvaluationOptions, track: Track = untracked
) -> Evaluation:
    """Run every strategy over ``collection`` and measure it, also against the first stage.

    Raises:
        SettingsError: the run is not the collection's, or options contradict each other.
        EngineError, SidecarError, ModelError: one of them failed as a whole.
    """
    evaluation = Evaluation(collection, options, documents=len(collection.documents))
    if options.run is not None:
        evaluation.first_stage = {"run": options.run.name}
        outcomes = _ranked_in_memory(evaluation, read_run(options.run), track)
    elif options.live is not None and not options.ranks:
        outcomes = await _live_first_stage(evaluation, options.live, track)
    elif options.through is Through.MEMORY or not options.ranks:
        outcomes = _ranked_in_memory(evaluation, await _engine_run(evaluation, track), track)
    else:
        outcomes = await _through_searches(evaluation, track)
    with evaluation.timed("measures"):
        judged = judge(collection, outcomes, depth=options.k, track=track)
        evaluation.results = [one for one in judged if one.outcome.variant in options.variants]
        evaluation.baseline = next(one for one in judged if one.outcome.variant == NONE)
    await _find_losses(evaluation, evaluation.baseline)
    return evaluation


async def _find_losses(evaluation: Evaluation, baseline: Result) -> None:
    collection = evaluation.collection
    evaluation.losses = {
        one.outcome.variant.label: worst_losses(collection.qrels, baseline, one)
        for one in leaders(evaluation.results)
    }
    shown = {id_ for losses in evaluation.losses.values() for loss in losses for id_ in loss.ids}
    live = evaluation.options.live
    if live is None:
        evaluation.texts = {id_: collection.documents[id_].text for id_ in shown}
        return
    async with _engine(evaluation) as engine:
        evaluation.texts = await live_index.texts(engine, live, shown)


@asynccontextmanager
async def _engine(evaluation: Evaluation) -> AsyncIterator[Engine]:
    engine = await connect(evaluation.options.engine or EngineOptions())
    try:
        yield engine
    finally:
        await engine.close()


def _ranked_in_memory(evaluation: Evaluation, run: Run, track: Track) -> list[Outcome]:
    options, encoder = evaluation.options, None
    if options.ranks:
        with evaluation.timed("model"):
            encoder = CachedEncoder(load_encoder(options.model), options.cache)
        profile = encoder.profile
        evaluation.model = {"name": profile.name, "fingerprint": profile.fingerprint}
    with evaluation.timed("ranking"):
        return in_memory(
            evaluation.collection, run, options.to_run, encoder, k=options.k, track=track
        )


async def _engine_run(evaluation: Evaluation, track: Track) -> Run:
    """The first stage of an engine, without vectors."""
    options, collection = evaluation.options, evaluation.collection
    async with _engine(evaluation) as engine:
        await _describe_engine(evaluation, engine)
        with evaluation.timed("index"):
            index = await through_engine.prepare(
                engine, collection, None, analyzer=options.analyzer, track=track
            )
        with evaluation.timed("first stage"):
            return await through_engine.first_stage(engine, index, collection, options.k, track)


async def _live_first_stage(evaluation: Evaluation, live: LiveIndex, track: Track) -> list[Outcome]:
    """The first stage of an index as it is: no sidecar is asked."""
    async with _engine(evaluation) as engine:
        await _describe_engine(evaluation, engine)
        evaluation.documents = await live_index.count(engine, live)
        searched = await live_index.searched(engine, live)
        with evaluation.timed("first stage"):
            run = await through_engine.first_stage(
                engine, searched, evaluation.collection, evaluation.options.k, track
            )
    return [Outcome(NONE, run, {})]


async def _through_searches(evaluation: Evaluation, track: Track) -> list[Outcome]:
    """Real searches: the collection indexed with vectors, window search, sidecar, rescore."""
    options = evaluation.options
    with ExitStack() as stack:
        sidecar_options = options.sidecar
        if sidecar_options is None:
            with evaluation.timed("sidecar start"):
                url = stack.enter_context(local_sidecar(options.serve_arguments))
            sidecar_options = SidecarClientOptions(url=url, timeout=60)
        return await _searches(evaluation, sidecar_options, track)


async def _searches(
    evaluation: Evaluation, sidecar_options: SidecarClientOptions, track: Track
) -> list[Outcome]:
    options = evaluation.options
    async with _engine(evaluation) as engine, SidecarClient(sidecar_options) as sidecar:
        await _describe_engine(evaluation, engine)
        card = await sidecar.model()
        evaluation.model = {"name": card.id, "fingerprint": card.fingerprint}
        with evaluation.timed("index"):
            if options.live is not None:
                evaluation.documents = await live_index.count(engine, options.live)
                searched = await live_index.searched(engine, options.live)
            else:
                index = await _index(evaluation, engine, sidecar_options, card, track)
                searched = through_engine.Searched(index)
        with evaluation.timed("searches"):
            return await through_searches(
                engine,
                sidecar,
                searched,
                evaluation.collection,
                options.to_run,
                k=options.k,
                track=track,
            )


async def _index(
    evaluation: Evaluation,
    engine: Engine,
    sidecar_options: SidecarClientOptions,
    card: ModelCard,
    track: Track,
) -> str:
    """An index with document vectors: by the sidecar named, else in process and remembered."""
    embedder = await _embedder(evaluation, sidecar_options, card)
    try:
        return await through_engine.prepare(
            engine,
            evaluation.collection,
            embedder,
            analyzer=evaluation.options.analyzer,
            track=track,
        )
    finally:
        await embedder.close()


async def _embedder(
    evaluation: Evaluation, sidecar_options: SidecarClientOptions, card: ModelCard
) -> DocumentEmbedder:
    """A sidecar that we started serves the model of our own settings, so we can load it too."""
    options = evaluation.options
    if options.sidecar is not None:
        evaluation.model["document_vectors"] = "sidecar"
        return await SidecarEmbedder.connect(sidecar_options)
    evaluation.model["document_vectors"] = "in process"
    encoder = CachedEncoder(load_encoder(options.model), options.cache)
    if encoder.profile.fingerprint != card.fingerprint:
        raise SettingsError(
            f"the sidecar serves {card.id} ({card.fingerprint}) and the settings name "
            f"{encoder.profile.name} ({encoder.profile.fingerprint}); give --sidecar"
        )
    return CachedEmbedder(encoder)


async def _describe_engine(evaluation: Evaluation, engine: Engine) -> None:
    info, live = await engine.info(), evaluation.options.live
    evaluation.first_stage = {"engine": info.kind.value, "version": info.version}
    if live is None:
        evaluation.first_stage["analyzer"] = evaluation.options.analyzer
        evaluation.first_stage["query"] = "multi_match over title and text"
    else:
        own = "multi_match over the index's text fields"
        evaluation.first_stage["index"] = live.name
        evaluation.first_stage["query"] = json.dumps(live.body) if live.body else own
