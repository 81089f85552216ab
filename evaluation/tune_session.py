"""One run of `rankside tune`: from judged queries to settings, or to what that would cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.connect import connect
from connectors.options import EngineOptions
from evaluation import engine as through_engine
from evaluation.collections import Collection
from evaluation.crossval import check_queries
from evaluation.dev_set import FirstStage, engine_hits
from evaluation.insertrank_cells import Asking
from evaluation.live_hits import live_hits
from evaluation.live_index import LiveIndex
from evaluation.machine import machine, versions
from evaluation.measures import MAIN
from evaluation.memory import Hits, Track, first_stage_hits, untracked
from evaluation.runs import read_run
from evaluation.score_mode import TunedScoreMode, tune_score_mode, within
from evaluation.tune import Tuned, TuneOptions, texts_to_encode, tried, tune
from evaluation.tune_report import tuned_json
from evaluation.vectors import CachedEncoder
from plugin.models.llm_options import LLMOptions
from plugin.models.load import load_encoder, pinned, profile_for
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Hit


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What to tune, and on what first stage: that of ``run``, a TREC file, else of ``engine``.

    ``live`` is an index that is there already, instead of one made of the collection's documents.
    ``llm_calls`` is how many calls of ``llm`` choosing a score mode may take; 0: none is chosen.
    """

    tune: TuneOptions = field(default_factory=TuneOptions)
    run: Path | None = None
    engine: EngineOptions | None = None
    live: LiveIndex | None = None
    analyzer: str = through_engine.STANDARD
    model: ModelOptions = field(default_factory=ModelOptions)
    llm: LLMOptions = field(default_factory=LLMOptions)
    llm_calls: int = 0
    answers: Path | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.llm_calls and self.llm.url is None and self.llm.path is None:
            raise SettingsError(
                "no LLM is named whose score mode could be chosen; set RANKSIDE_LLM__URL or "
                "RANKSIDE_LLM__PATH, or leave --llm-calls out"
            )
        if self.live is not None and self.run is not None:
            raise SettingsError("an index is its own first stage; leave out --index, or --run")

    @property
    def depth(self) -> int:
        """How many hits of each query are needed."""
        return max(self.tune.depth, self.llm.window if self.llm_calls else 0)


@dataclass(slots=True)
class TuneSession:
    """What was tuned and how it came about; ``seconds`` is by step."""

    collection: Collection
    options: SessionOptions
    first_stage: dict[str, Any] = field(default_factory=dict)
    tuned: Tuned | None = None
    score_mode: TunedScoreMode | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings to write, by table; only what is worth more than noise."""
        tuned = self.tuned.settings if self.tuned else {}
        return {**tuned, **(self.score_mode.settings if self.score_mode else {})}

    @property
    def unanswered(self) -> int:
        """Rankings that the LLM gave no order for."""
        ways = self.score_mode.measured.values() if self.score_mode else ()
        return sum(one.statuses.get("passed_through", 0) for one in ways)

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        model = self.tuned.model if self.tuned else None
        return {
            "dataset": self.collection.name,
            "split": self.collection.split,
            "documents": len(self.collection.documents) or None,  # an index is not counted
            "k": self.options.depth,
            "first_stage": self.first_stage,
            "model": {"name": model.name, "fingerprint": model.fingerprint} if model else {},
            "weights": tuned_json(self.tuned) if self.tuned else None,
            "score_mode": self.score_mode.to_json(self.options.llm) if self.score_mode else None,
            "settings": self.settings,
            "machine": machine(),
            "versions": versions(),
            "seconds": self.seconds,
        }

    @property
    def note(self) -> str:
        """What a file of the settings says of them."""
        parts = []
        found = ((self.tuned, "weights"), (self.score_mode, "score mode"))
        for tuned, what in found:
            if tuned is not None and tuned.settings:
                gain, values = tuned.verdict.versus_present, tuned.held_out.values
                parts.append(
                    f"{what} on {len(values)} queries, held-out {MAIN} {values.mean():.4f}, "
                    f"{gain.difference:+.4f} against before ({gain.low:+.4f} … {gain.high:+.4f})"
                )
        return f"{self.collection.name} {self.collection.split}: {'; '.join(parts)}"

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note the block's time in ``seconds``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(time.perf_counter() - start, 3)


async def run_tuning(
    collection: Collection, options: SessionOptions, track: Track = untracked
) -> TuneSession:
    """Choose weights, prompt hits and window, and with an LLM and calls its score mode.

    Raises:
        SettingsError: there are too few queries or calls, or the run is not the collection's.
        EngineError, ModelError: the engine or a model failed.
    """
    check_queries(len(collection.queries), options.tune.folds)
    session = TuneSession(collection, options)
    with session.timed("first stage"):
        hits = await _hits(session, track)
    sample = None
    if options.llm_calls:  # before the work: whether the calls are enough
        sample = within(options.llm_calls, options.llm, collection, hits, options.tune.seed)
    with session.timed("model"):
        encoder = CachedEncoder(load_encoder(options.model), options.cache)
    stage = FirstStage(f"{collection.name} {collection.split}".strip(), collection, hits)
    try:
        with session.timed("weights"):
            session.tuned = tune(stage, encoder, options.tune, track)
    finally:
        encoder.close()
    if sample is not None:
        asking = Asking(options.llm, answers=options.answers)
        folds, seed = options.tune.folds, options.tune.seed
        with session.timed("score mode"):
            session.score_mode = await tune_score_mode(
                sample, asking, folds=folds, seed=seed, track=track
            )
    return session


async def forecast(collection: Collection, options: SessionOptions) -> dict[str, Any]:
    """What a run would take; nothing is encoded or asked for it, and nothing written.

    Without a run or an index of your own the collection's first documents stand in for the hits of
    every query.

    Raises:
        SettingsError: as `run_tuning`.
    """
    check_queries(len(collection.queries), options.tune.folds)
    unknown = options.run is None and options.live is None
    if unknown:
        hits = _stand_in(collection, options.depth)
    else:
        hits = await _hits(TuneSession(collection, options), untracked)
    stage = FirstStage(collection.name, collection, hits)
    texts = texts_to_encode(stage, options.tune)
    if unknown:
        most = len(collection.queries) * options.depth
        texts["documents"] = min(len(collection.documents), most)
    llm = None
    if options.llm_calls:
        sample = within(options.llm_calls, options.llm, collection, hits, options.tune.seed)
        llm = sample.cost.to_json(options.llm)
    return {
        "dataset": collection.name,
        "split": collection.split,
        "queries": len(collection.queries),
        "folds": options.tune.folds,
        "settings_to_try": tried(options.tune, hits),
        "texts_to_encode_at_most": texts,
        "llm": llm,
    }


def _stand_in(collection: Collection, depth: int) -> Hits:
    first = list(collection.documents.values())[:depth]
    hits = tuple(Hit(document.id, 1.0, document.text) for document in first)
    return dict.fromkeys(collection.queries, hits)


async def _hits(session: TuneSession, track: Track) -> Hits:
    options, collection = session.options, session.collection
    if options.run is not None:
        session.first_stage = {"run": options.run.name}
        return first_stage_hits(collection, read_run(options.run), options.depth)
    engine = await connect(options.engine or EngineOptions())
    try:
        info = await engine.info()
        session.first_stage = {
            "engine": info.kind.value,
            "version": info.version,
            **({"index": options.live.name} if options.live else {"analyzer": options.analyzer}),
        }
        if options.live is not None:
            fingerprint = profile_for(pinned(options.model)).fingerprint
            return await live_hits(
                engine, options.live, collection, fingerprint, options.depth, track
            )
        return await engine_hits(engine, collection, options.analyzer, options.depth, track)
    finally:
        await engine.close()
