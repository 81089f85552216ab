"""One training of an adapter: from sources to a folder that the sidecar loads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from evaluation.memory import Track, untracked
from evaluation.runs import Run
from evaluation.vectors import CachedEncoder
from plugin.models.adapter import AdapterManifest, Weights
from plugin.models.hardware import place
from plugin.models.load import load_encoder, load_modules
from plugin.models.options import ModelOptions
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.errors import SettingsError
from plugin.ranking.profile import PAPER_FUSION, ModelProfile
from plugin.ranking.prompts import EncoderInput, document_input
from training.adapter import Trained, TrainingPlan, train
from training.examples import Depth, Example, judged_examples, permutation_examples
from training.sources import Source
from training.teachers import answers_teacher
from training.tower import Prepared, PromptData, frozen_vectors, prepare


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """What an adapter is trained on and how.

    ``teacher`` orders what the judgments leave tied; None: the right answers do, where ``answers``
    is set, else nobody. ``cache`` None: vectors are kept where evaluation keeps them.
    """

    model: ModelOptions
    plan: TrainingPlan = field(default_factory=TrainingPlan)
    depth: Depth = field(default_factory=lambda: Depth(prompt_hits=5, candidates=24, seed=1))
    permutations: Path | None = None
    teacher: Run | None = None
    answers: bool = True
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """What a training will take; ``to_encode`` documents have no remembered vector yet.

    ``left_out`` queries fill the model alone. ``tokens`` is the mean length of a prompt, ``dtype``
    what the passes run in.
    """

    model: str
    fingerprint: str
    device: str
    dtype: str
    examples: int
    dev_examples: int
    left_out: int
    documents: int
    to_encode: int
    tokens: float
    steps: int


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """What a training came to; losses are the objective's, of queries left aside."""

    steps: int
    train_loss: float
    dev_loss_before: float | None
    dev_loss_after: float | None
    seconds: float


class AdapterSession:
    """Examples, their prompts and vectors, and the training on them.

    Raises SettingsError where the model is not one in this process, or nothing can be trained on;
    ModelError where the model cannot be loaded.
    """

    def __init__(
        self,
        options: AdapterOptions,
        sources: Sequence[Source],
        dev: Source | None = None,
        track: Track = untracked,
    ) -> None:
        if options.model.url is not None or options.model.listwise_adapter is not None:
            raise SettingsError(
                "an adapter is trained on a model in this process; unset model.url and "
                "model.listwise_adapter"
            )
        self._options = options
        self._track = track
        self._encoder = CachedEncoder(load_encoder(options.model), options.cache)
        # The weights stay in 32 bits, as steps are small; the passes may run in 16.
        self._placement = place(options.model.device, options.model.dtype, half_precision=True)
        self._plan = replace(options.plan, bf16=self._placement.dtype == "bfloat16")
        self._examples = [one for source in sources for one in self._labelled(source)]
        if options.permutations is not None:
            hits = options.depth.prompt_hits
            self._examples += permutation_examples(options.permutations, hits)
        if not self._examples:
            raise SettingsError("there is nothing to train on; give --data or --permutations")
        self._dev = [] if dev is None else self._labelled(dev)

    @property
    def profile(self) -> ModelProfile:
        """The model with the prompt it is trained for, and the paper's fusion."""
        hits = self._options.depth.prompt_hits
        return replace(self._encoder.profile, prompt_hits=hits, fusion=PAPER_FUSION)

    def outline(self) -> Outline:
        """Lay out every prompt, encode nothing, and say what the training will take."""
        places = {text: place for place, text in enumerate(self._texts())}
        rows, dev = self._rows(self._examples, places), self._rows(self._dev, places)
        lengths = [len(row.ids) for row in (*rows, *dev)]
        return Outline(
            model=self.profile.name,
            fingerprint=self.profile.fingerprint,
            device=self._placement.device,
            dtype=self._placement.dtype,
            examples=len(rows),
            dev_examples=len(dev),
            left_out=len(self._examples) + len(self._dev) - len(lengths),
            documents=len(places),
            to_encode=len(self._encoder.missing(self._inputs())),
            tokens=round(float(np.mean(lengths)), 1),
            steps=self._plan.steps(len(rows)),
        )

    def train(self, folder: Path, *, resume: bool = False) -> AdapterReport:
        """Train, and write the weights and their manifest to ``folder``.

        Raises:
            SettingsError: the examples fill no batch.
            ModelUnavailable: the model cannot be loaded.
        """
        plan, profile = self._plan, self.profile
        if len(self._examples) < plan.batch:
            raise SettingsError(
                f"{len(self._examples)} examples fill no batch of {plan.batch}; lower --batch, or "
                "give more"
            )
        started = time.perf_counter()
        missing = self._encoder.missing(self._inputs())
        self._encoder.warm(missing, self._track("Encoding documents", len(missing)))
        places, vectors = frozen_vectors([*self._examples, *self._dev], self._encoder)
        pad = self._tokenizer.pad_id
        data = PromptData(self._rows(self._examples, places), vectors, pad)
        dev = PromptData(self._rows(self._dev, places), vectors, pad) if self._dev else None
        placement = replace(self._placement, dtype="float32")
        trained = train(
            load_modules(self._options.model, profile, placement),
            data,
            dev,
            plan,
            folder,
            location=profile.location,
            resume=resume,
            advance=self._track("Training", plan.steps(len(data))),
        )
        report = _report(trained, time.perf_counter() - started)
        if trained.writes:
            self._describe(folder, report, len(data))
        return report

    def _describe(self, folder: Path, report: AdapterReport, examples: int) -> None:
        plan, depth = self._plan, self._options.depth
        weights = Weights.FULL if plan.rank is None else Weights.LORA
        made = {"examples": examples, **asdict(plan), **asdict(depth), **asdict(report)}
        AdapterManifest.of(self.profile, weights, folder, made).write(folder)

    def _labelled(self, source: Source) -> list[Example]:
        stored = {hit: hit.vector for some in source.hits.values() for hit in some if hit.text}
        known = {hit: vector for hit, vector in stored.items() if vector is not None}
        if known:
            inputs = [document_input(self._encoder.profile, hit.text or "") for hit in known]
            self._encoder.remember(inputs, np.stack(list(known.values())))
        teacher = self._options.teacher
        if teacher is None and self._options.answers:
            teacher = answers_teacher(source.collection, source.hits, self._encoder, self._track)
        return judged_examples(source.collection, source.hits, self._options.depth, teacher)

    def _texts(self) -> list[str]:
        everything = [*self._examples, *self._dev]
        return list(dict.fromkeys(one.text for some in everything for one in some.documents))

    def _inputs(self) -> list[EncoderInput]:
        return [document_input(self._encoder.profile, text) for text in self._texts()]

    def _rows(self, examples: Sequence[Example], places: dict[str, int]) -> list[Prepared]:
        return prepare(examples, self.profile, self._tokenizer, places)

    @property
    def _tokenizer(self) -> HubTokenizer:
        tokenizer = self._encoder.encoder.tokenizer
        if not isinstance(tokenizer, HubTokenizer):
            raise SettingsError(f"{self.profile.name} is not in this process; unset model.url")
        return tokenizer


def _report(trained: Trained, seconds: float) -> AdapterReport:
    return AdapterReport(
        steps=trained.steps,
        train_loss=round(trained.train_loss, 5),
        dev_loss_before=trained.dev_before,
        dev_loss_after=trained.dev_after,
        seconds=round(seconds, 1),
    )
