"""Choosing weights, prompt hits and window for a team's own queries, and what that is worth.

The grid and the rule are those of `evaluation.tuning`; the figure is held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from evaluation.crossval import HeldOut, Verdict, check_queries, cross_validate, judge
from evaluation.dev_set import FirstStage, dev_set
from evaluation.memory import Hits, Track, untracked
from evaluation.significance import Values
from evaluation.tuning import (
    Prompt,
    Setting,
    chosen_of,
    families_of,
    measured,
    settings,
)
from evaluation.vectors import CachedEncoder
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import ModelProfile

OWN = "the model's own"
"""The layout of the prompt: a setting only of models that the settings describe."""

ROCCHIO_HITS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """The grid, and how it is judged; ``present_window`` is what searches use now.

    Raises SettingsError where the grid is empty or wrong.
    """

    windows: tuple[int, ...] = (20, 50, 100)
    prompt_hits: tuple[int, ...] = (3, 5, 10, 20)
    folds: int = 5
    seed: int = 1
    present_window: int = 100

    def __post_init__(self) -> None:
        for name, values in (("window", self.windows), ("prompt hits", self.prompt_hits)):
            if not values or min(values) < 1 or len(set(values)) != len(values):
                raise SettingsError(
                    f"{name} {values} must be whole numbers from 1, each once; give some like 20,50"
                )

    @property
    def depth(self) -> int:
        """How many hits of each query are looked at."""
        return max(*self.windows, self.present_window)

    def prompts(self) -> list[Prompt]:
        """Every prompt of the grid."""
        pairs = product(sorted(self.prompt_hits), ROCCHIO_HITS)
        return [Prompt(OWN, shown, fed) for shown, fed in pairs if fed <= shown]

    def windows_for(self, hits: Hits) -> tuple[int, ...]:
        """The windows that differ on ``hits``: of those beyond the last hit the smallest."""
        deepest = max((len(found) for found in hits.values()), default=0)
        ordered = sorted(self.windows)
        inside = [window for window in ordered if window < deepest]
        return tuple(ordered[: len(inside) + 1])


@dataclass(frozen=True, slots=True)
class InUse:
    """What a search uses: weights, prompt and window. Of the model and the settings, or chosen."""

    weights: FusionWeights
    prompt_hits: int
    rocchio_hits: int
    window: int

    @classmethod
    def present(cls, profile: ModelProfile, window: int) -> InUse:
        """What is used without tuning."""
        return cls(profile.fusion, profile.prompt_hits, profile.rocchio_hits, window)

    @classmethod
    def of(cls, setting: Setting, present: InUse) -> InUse:
        """A setting of the grid; what its weights do not use stays as it is at present."""
        weights = setting.weights
        reads_hits = weights.signals != ("query",)
        return cls(
            weights,
            setting.prompt.prompt_hits if reads_hits else present.prompt_hits,
            setting.prompt.rocchio_hits if weights.rocchio else present.rocchio_hits,
            present.window if setting.window is None else setting.window,
        )

    @property
    def prompt(self) -> Prompt:
        """The prompt that such a search has: no more hits than the window."""
        return Prompt(OWN, min(self.prompt_hits, self.window), self.rocchio_hits)

    def to_json(self) -> dict[str, Any]:
        """By the names of the settings."""
        return {
            "fusion": self.weights.as_dict(),
            "prompt_hits": self.prompt_hits,
            "rocchio_hits": self.rocchio_hits,
            "window": self.window,
        }

    def __str__(self) -> str:
        weights = ", ".join(f"{name} {w:g}" for name, w in self.weights.as_dict().items() if w)
        used = [f"window {self.window}"]
        if self.weights.signals != ("query",):
            used.append(f"prompt hits {self.prompt_hits}")
        if self.weights.rocchio:
            used.append(f"Rocchio hits {self.rocchio_hits}")
        return f"{weights}; {', '.join(used)}"


@dataclass(frozen=True, eq=False)
class Tuned:
    """What was chosen on all queries, and what choosing so is worth on queries left out.

    ``first_stage_values`` and ``present_values`` are nDCG@10, float64 (queries,).
    """

    stage: FirstStage
    model: ModelProfile
    options: TuneOptions
    present: InUse
    chosen: InUse
    held_out: HeldOut[Setting]
    first_stage_values: Values
    present_values: Values
    tried: int

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the chosen setting is to be taken."""
        return judge(self.held_out.values, self.first_stage_values, self.present_values)

    @property
    def of_folds(self) -> list[InUse]:
        """What each fold is judged by."""
        return [InUse.of(fold.chosen, self.present) for fold in self.held_out.folds]

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings to write, by table; empty where the present ones are kept.

        They name the model, as weights are worth nothing with another.
        """
        if not self.verdict.taken:
            return {}
        found = self.chosen.to_json()
        window = found.pop("window")
        return {"model": {"name": self.model.name, **found}, "pipelines": {"window": window}}


def tune(
    stage: FirstStage, encoder: CachedEncoder, options: TuneOptions, track: Track = untracked
) -> Tuned:
    """Choose a setting for the queries of ``stage``, and judge the choosing by folds.

    Raises:
        SettingsError: there are too few queries.
        ModelError: the encoder failed.
    """
    check_queries(len(stage.collection.queries), options.folds)
    present = InUse.present(encoder.profile, options.present_window)
    prompts = options.prompts()
    every = list(dict.fromkeys([*prompts, present.prompt]))
    dev = dev_set(stage, every, {OWN: encoder.profile.listwise}, encoder, track)
    grid = list(settings(prompts, options.windows_for(stage.hits)))
    by_setting = measured([dev], grid, track("Trying settings", len(grid)))
    values = {setting: arrays[0] for setting, arrays in by_setting.items()}
    held_out = cross_validate(
        values,
        _choose,
        parts=options.folds,
        seed=options.seed,
        advance=track("Judging on queries left out", options.folds),
    )
    table = dev.tables[present.prompt]
    return Tuned(
        stage=stage,
        model=encoder.profile,
        options=options,
        present=present,
        chosen=InUse.of(_choose(values), present),
        held_out=held_out,
        first_stage_values=table.first_stage,
        present_values=table.ndcg(present.weights, present.window),
        tried=len(grid),
    )


def texts_to_encode(stage: FirstStage, options: TuneOptions) -> dict[str, int]:
    """How many texts the encoder is given at most; those remembered cost nothing."""
    hits = [hit for found in stage.hits.values() for hit in found]
    texts = {hit.text for hit in hits if hit.text and hit.vector is None}
    queries = len(stage.collection.queries)
    return {
        "documents": len(texts),
        "queries": queries,
        "listwise_prompts": queries * (len(options.prompt_hits) + 1),  # those at present too
    }


def tried(options: TuneOptions, hits: Hits) -> int:
    """How many settings the grid has."""
    return sum(1 for _ in settings(options.prompts(), options.windows_for(hits)))


def _choose(values: Mapping[Setting, Values]) -> Setting:
    return chosen_of(families_of({one: [each] for one, each in values.items()})).setting
