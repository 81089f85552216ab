"""Choosing InsertRank's score mode: all are asked of the settings' LLM, within a number of calls.

How the first-stage scores stand in the prompt helps some models and harms others (arXiv 2506.14086
varies it), so it is chosen for the model at hand or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evaluation.collections import Collection, sampled
from evaluation.crossval import LEAST_QUERIES, HeldOut, Verdict, cross_validate, judge
from evaluation.insertrank_cells import Asking, Cell, Measured, measure_cells
from evaluation.measures import MAIN, measure
from evaluation.memory import Hits, Track, untracked
from evaluation.runs import ScoredDocument
from evaluation.significance import Values
from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm_options import LLMOptions
from plugin.ranking import insertrank
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Ranking, RankRequest, Strategy
from plugin.ranking.score_labels import ScoreMode

MODES = tuple(ScoreMode)


@dataclass(frozen=True, slots=True)
class Cost:
    """What asking costs: calls exactly, the prompts' tokens by estimate, the answers' at most."""

    queries: int
    calls: int
    prompt_tokens: int
    answer_tokens: int

    def to_json(self, options: LLMOptions) -> dict[str, Any]:
        """With the price, where the settings have prices."""
        price = options.price.of(self.prompt_tokens, self.answer_tokens)
        return {
            "queries": self.queries,
            "score_modes": [mode.value for mode in MODES],
            "calls": self.calls,
            "prompt_tokens_about": self.prompt_tokens,
            "answer_tokens_at_most": self.answer_tokens,
            "price_at_most": round(price, 4) if price else None,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """The queries that are asked, with the hits that the LLM is shown, and what that costs."""

    collection: Collection
    hits: Hits
    cost: Cost


@dataclass(frozen=True, eq=False)
class TunedScoreMode:
    """What was chosen on all queries asked, and what choosing so is worth on queries left out."""

    sample: Sample
    present: ScoreMode
    chosen: ScoreMode
    held_out: HeldOut[ScoreMode]
    measured: Mapping[ScoreMode, Measured]
    first_stage_values: Values

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the chosen mode is to be taken."""
        present = self.measured[self.present].values
        return judge(self.held_out.values, self.first_stage_values, present)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings to write, by table; empty where the present mode is kept."""
        return {"llm": {"score_mode": self.chosen.value}} if self.verdict.taken else {}

    @property
    def reasons(self) -> Counter[str]:
        """Why rankings are not the LLM's own, over all modes."""
        return sum((Counter(one.reasons) for one in self.measured.values()), Counter())

    def to_json(self, options: LLMOptions) -> dict[str, Any]:
        """The score mode's part of the document of `--json`; only held-out figures are in it."""
        return {
            "llm": options.model if options.path is None else options.path.name,
            "cost": self.sample.cost.to_json(options),
            "present": self.present.value,
            "chosen": self.chosen.value,
            "taken": self.verdict.taken,
            "held_out": {
                MAIN: round(self.held_out.mean, 6),
                "vs_first_stage": self.verdict.versus_first_stage.to_json(),
                "vs_present": self.verdict.versus_present.to_json(),
            },
            "reasons": dict(self.reasons),
        }


def within(
    calls: int, options: LLMOptions, collection: Collection, hits: Hits, seed: int
) -> Sample:
    """As many queries, drawn by ``seed``, as all modes can be asked of in ``calls`` calls.

    Raises:
        SettingsError: these are too few to choose by; the message names the calls it takes.
    """
    shown = {query: found[: options.window] for query, found in hits.items()}
    asking = options.insertrank(None)
    drawn = list(sampled(collection, len(collection.queries), seed).queries)
    costs = [_cost(collection.queries[query], shown[query], asking) for query in drawn]
    needed = np.cumsum([one.calls for one in costs]) * len(MODES)
    fits = int((needed <= calls).sum())
    if fits < LEAST_QUERIES:
        takes = int(needed[LEAST_QUERIES - 1]) if len(drawn) >= LEAST_QUERIES else None
        raise SettingsError(
            f"--llm-calls {calls} is enough for {fits} queries with {len(MODES)} score modes, and "
            f"{LEAST_QUERIES} are the least to choose by"
            + (f"; allow {takes} calls" if takes else "; judge more queries")
        )
    kept = sampled(collection, fits, seed)
    some = costs[:fits]
    cost = Cost(
        queries=fits,
        calls=int(needed[fits - 1]),
        prompt_tokens=sum(one.prompt_tokens for one in some) * len(MODES),
        answer_tokens=int(needed[fits - 1]) * options.max_tokens,
    )
    return Sample(kept, {query: shown[query] for query in kept.queries}, cost)


async def tune_score_mode(
    sample: Sample, asking: Asking, *, folds: int, seed: int, track: Track = untracked
) -> TunedScoreMode:
    """Ask every mode for every query of ``sample``, and judge the choosing by folds.

    Raises:
        SettingsError: there are too few queries, or no LLM is named.
        ModelUnavailable: the LLM cannot be loaded.
    """
    collection, hits, present = sample.collection, sample.hits, asking.llm.score_mode
    cells = [Cell(mode, asking.llm.initial_order, asking.llm.decoding) for mode in MODES]
    advance = track("Asking the LLM", len(cells) * len(hits))
    found = await measure_cells(cells, asking, collection, hits, advance)
    measured = {one.cell.score_mode: one for one in found}
    values = {mode: one.values for mode, one in measured.items()}

    def choose(some: Mapping[ScoreMode, Values]) -> ScoreMode:
        return _choose(some, present)

    run = {
        query: [ScoredDocument(hit.id, hit.score) for hit in each] for query, each in hits.items()
    }
    return TunedScoreMode(
        sample=sample,
        present=present,
        chosen=choose(values),
        held_out=cross_validate(values, choose, parts=folds, seed=seed),
        measured=measured,
        first_stage_values=measure(collection.qrels, run).values[MAIN],
    )


def _choose(values: Mapping[ScoreMode, Values], present: ScoreMode) -> ScoreMode:
    """The best mode, unless the present one is within a standard error of it."""
    best = max(values, key=lambda mode: float(values[mode].mean()))
    ahead = values[best] - values[present]
    error = float(ahead.std(ddof=1)) / float(np.sqrt(ahead.size))
    return best if float(ahead.mean()) > error else present


def _cost(text: str, hits: tuple[Any, ...], asking: insertrank.InsertRankOptions) -> Cost:
    """Of one query in one mode; what stands beside the passages is the same few words in all."""
    tokenizer = EstimatingTokenizer()
    plan = insertrank.plan(RankRequest(text, hits, Strategy.INSERTRANK), asking, tokenizer)
    first = plan.advance()
    if isinstance(first, Ranking):  # nothing to ask about
        return Cost(1, 0, 0, 0)
    tokens = sum(tokenizer.count(one.content) for prompt in first for one in prompt.messages)
    return Cost(1, plan.prompts, tokens * plan.prompts // len(first), 0)
