"""Choosing weights on judged queries: a grid, a rule that prefers simple and flat, and its noise.

The rule: of every family of signals take the setting whose *neighbourhood* scores best (a plateau
carries over to other collections, a peak does not); then take the cheapest family that is not worse
than the best one by more than one standard error of their paired difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from evaluation.signals import Table
from plugin.ranking.hits import FusionWeights

Array = npt.NDArray[np.float64]

COSINE_STEPS = 4
"""Cosine weights are multiples of 1 / 4 that sum to 1; only their ratios order hits."""

FIRST_STAGE = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24)
"""Weights of one standard deviation of the first-stage score, in cosines."""

COST: Mapping[str, int] = {"query": 1, "first_stage": 1, "rocchio": 2, "listwise": 4}
"""What a signal costs a search, in order: nothing more than the query's vector, nothing at all,
stored vectors fetched with the window search, a forward pass over a full prompt."""


@dataclass(frozen=True, slots=True, order=True)
class Prompt:
    """Everything but the weights: the layout's name, and how many hits feed what."""

    layout: str
    prompt_hits: int
    rocchio_hits: int


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of the grid; the cosine weights are in steps, ``first_stage`` a place in the list.

    ``cosines`` is (listwise, query, rocchio). ``window`` None puts all hits in order.
    """

    prompt: Prompt
    cosines: tuple[int, int, int]
    first_stage: int
    window: int | None = None

    @property
    def weights(self) -> FusionWeights:
        """The weights as the core takes them."""
        listwise, query, rocchio = (step / COSINE_STEPS for step in self.cosines)
        return FusionWeights(listwise, query, rocchio, FIRST_STAGE[self.first_stage])

    @property
    def family(self) -> tuple[str, ...]:
        """The signals that carry weight."""
        return self.weights.signals

    @property
    def cost(self) -> int:
        """What its signals cost a search."""
        return sum(COST[name] for name in self.family)

    def neighbours(self) -> Iterator[Setting]:
        """Settings one step away of the same signals and prompt."""
        for step in (-1, 1):
            place = self.first_stage + step
            if self.first_stage and 0 < place < len(FIRST_STAGE):
                yield replace(self, first_stage=place)
        for giver, taker in product(range(3), repeat=2):
            moved = list(self.cosines)
            moved[giver] -= 1
            moved[taker] += 1
            if giver != taker and moved[giver] > 0 and self.cosines[taker] > 0:
                yield replace(self, cosines=(moved[0], moved[1], moved[2]))


@dataclass(frozen=True, slots=True, eq=False)
class DevSet:
    """Tables of one collection and first stage, by prompt."""

    name: str
    tables: Mapping[Prompt, Table]


@dataclass(frozen=True, slots=True)
class Scored:
    """A setting with its mean nDCG@10 over the sets, and that of its neighbourhood."""

    setting: Setting
    score: float
    plateau: float


@dataclass(frozen=True, slots=True)
class Family:
    """The setting chosen of one family; ``behind`` the best family's by so much, ± one error."""

    chosen: Scored
    behind: float
    error: float

    @property
    def within_noise(self) -> bool:
        """Whether it is not worse than the best by more than one standard error."""
        return self.behind <= self.error


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting chosen, every family's best, and the single best setting of the grid.

    ``by_first_stage`` says how flat it is there: the score by first-stage weight, all else chosen.
    """

    chosen: Scored
    families: Sequence[Family]
    peak: Scored
    by_first_stage: Mapping[float, float]
    tried: int


def settings(
    prompts: Iterable[Prompt], windows: Sequence[int | None] = (None,)
) -> Iterator[Setting]:
    """Every setting of the grid; no window is smaller than the prompt it feeds.

    Prompts that differ in what a setting does not use give one setting: the layout matters to
    listwise, ``rocchio_hits`` to Rocchio, ``prompt_hits`` to listwise and first stage.
    """
    seen: set[tuple[object, ...]] = set()
    for prompt, window in product(sorted(prompts), windows):
        if window is not None and window < prompt.prompt_hits:
            continue  # its tables are of more hits than such a search would see
        for cosines, place in product(_simplex(), range(len(FIRST_STAGE))):
            listwise, _, rocchio = cosines
            key = (
                cosines,
                place,
                window,
                prompt.layout if listwise else None,
                prompt.rocchio_hits if rocchio else None,
                prompt.prompt_hits if listwise or place or rocchio else None,
            )
            if key not in seen:
                seen.add(key)
                yield Setting(prompt, cosines, place, window)


def measured(
    sets: Sequence[DevSet],
    candidates: Iterable[Setting],
    advance: Callable[[int], None] = lambda _: None,
) -> dict[Setting, list[Array]]:
    """Each setting's nDCG@10 of every query, float64 (queries,), one array a set."""
    values = {}
    for setting in candidates:
        values[setting] = _values(setting, sets)
        advance(1)
    return values


def choose(sets: Sequence[DevSet], candidates: Iterable[Setting]) -> Choice:
    """Choose by the rule above.

    Raises:
        ValueError: there is nothing to choose from.
    """
    values = measured(sets, candidates)
    families = families_of(values)
    chosen = chosen_of(families)
    means = {setting: _mean(arrays) for setting, arrays in values.items()}
    top = max(means, key=lambda setting: means[setting])
    peak = Scored(top, means[top], _plateau(top, means))
    flatness = _by_first_stage(chosen.setting, sets)
    return Choice(chosen, families, peak, by_first_stage=flatness, tried=len(values))


def families_of(values: Mapping[Setting, Sequence[Array]]) -> list[Family]:
    """The setting chosen of every family, cheapest first; ``values`` as `measured` gives them.

    Raises:
        ValueError: there is nothing to choose from.
    """
    means = {setting: _mean(arrays) for setting, arrays in values.items()}
    if not means:
        raise ValueError("the grid is empty")
    best_of: dict[tuple[str, ...], Scored] = {}
    for setting, score in means.items():
        one = Scored(setting, score, _plateau(setting, means))
        held = best_of.get(setting.family)
        if held is None or one.plateau > held.plateau:
            best_of[setting.family] = one
    best = max(best_of.values(), key=lambda one: one.plateau)
    return sorted(
        (_family(one, best, values) for one in best_of.values()),
        key=lambda family: (family.chosen.setting.cost, -family.chosen.plateau),
    )


def chosen_of(families: Sequence[Family]) -> Scored:
    """The cheapest family's setting that is not worse than the best by more than noise."""
    return next(family.chosen for family in families if family.within_noise)


def _family(one: Scored, best: Scored, values: Mapping[Setting, Sequence[Array]]) -> Family:
    """Paired, so that hard queries do not count as noise; each set weighs the same."""
    pairs = zip(values[best.setting], values[one.setting], strict=True)
    differences = [ahead - behind for ahead, behind in pairs]
    variance = sum(float(some.var(ddof=1)) / some.size for some in differences if some.size > 1)
    return Family(one, _mean(differences), float(np.sqrt(variance)) / len(differences))


def _by_first_stage(chosen: Setting, sets: Sequence[DevSet]) -> dict[float, float]:
    return {
        weight: _mean(_values(replace(chosen, first_stage=place), sets))
        for place, weight in enumerate(FIRST_STAGE)
    }


def _values(setting: Setting, sets: Sequence[DevSet]) -> list[Array]:
    return [one.tables[setting.prompt].ndcg(setting.weights, setting.window) for one in sets]


def _mean(values: Sequence[Array]) -> float:
    """Mean over sets of the mean over queries."""
    return float(np.mean([some.mean() for some in values]))


def _plateau(setting: Setting, scores: Mapping[Setting, float]) -> float:
    """Mean over the setting and those of its neighbours that are in the grid."""
    near = [scores[one] for one in setting.neighbours() if one in scores]
    return float(np.mean([scores[setting], *near]))


def _simplex() -> list[tuple[int, int, int]]:
    steps = range(COSINE_STEPS + 1)
    return [
        (listwise, query, COSINE_STEPS - listwise - query)
        for listwise, query in product(steps, repeat=2)
        if listwise + query <= COSINE_STEPS
    ]
