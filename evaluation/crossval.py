"""Choosing and judging on different queries: K folds, each judged by what the others chose.

A figure of the queries that a setting was chosen on flatters it; the figure here is of queries that
took no part in the choice they are judged by. Source: scikit-learn's example *Nested versus
non-nested cross-validation*, after Cawley and Talbot. What is judged is the way of choosing: each
fold may choose another setting, and the one chosen on all queries has no figure of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from evaluation.significance import Comparison, Values, compare
from plugin.ranking.errors import SettingsError

Candidate = TypeVar("Candidate", bound=Hashable)
Rows = npt.NDArray[np.intp]
Choose = Callable[[Mapping[Candidate, Values]], Candidate]
"""From each candidate's values on some queries to the one that is taken."""

LEAST_QUERIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Fold(Generic[Candidate]):
    """What the other folds chose, and the rows of the queries that it is judged on."""

    chosen: Candidate
    rows: Rows


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut(Generic[Candidate]):
    """``values`` is float64 (queries,): each query under what was chosen without it."""

    values: Values
    folds: tuple[Fold[Candidate], ...]

    @property
    def mean(self) -> float:
        """The held-out figure, over all queries."""
        return float(self.values.mean())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Held-out values against the first stage and against what is used at present."""

    versus_first_stage: Comparison
    versus_present: Comparison

    @property
    def taken(self) -> bool:
        """Whether the gain is more than noise: the 95 % interval lies above 0."""
        return self.versus_present.low > 0


def check_queries(count: int, parts: int) -> None:
    """Say that there are too few queries before anything is run.

    Raises:
        SettingsError: there are fewer than 20, or than 2 a fold.
    """
    least = max(LEAST_QUERIES, 2 * parts)
    if count < least:
        raise SettingsError(
            f"{count} judged queries are too few to tell a better setting from luck over {parts} "
            f"folds; judge at least {least}, better some hundred"
        )


def folds(count: int, parts: int, seed: int) -> list[Rows]:
    """``count`` rows dealt out to ``parts`` folds by ``seed``; sizes differ by one at most."""
    rows = np.random.default_rng(seed).permutation(count)
    return [np.sort(part) for part in np.array_split(rows, parts)]


def cross_validate(
    values: Mapping[Candidate, Values],
    choose: Choose[Candidate],
    *,
    parts: int,
    seed: int,
    advance: Callable[[int], None] = lambda _: None,
) -> HeldOut[Candidate]:
    """Choose on all folds but one, judge on that one, for each in turn.

    ``values`` holds each candidate's figure of every query, float64 (queries,), in one order.

    Raises:
        SettingsError: there are too few queries.
    """
    count = next(iter(values.values())).size
    check_queries(count, parts)
    held_out = np.zeros(count)
    made = []
    for rows in folds(count, parts, seed):
        others = np.setdiff1d(np.arange(count), rows)
        chosen = choose({one: each[others] for one, each in values.items()})
        held_out[rows] = values[chosen][rows]
        made.append(Fold(chosen, rows))
        advance(1)
    return HeldOut(held_out, tuple(made))


def judge(held_out: Values, first_stage: Values, present: Values) -> Verdict:
    """How the held-out figure differs, and how sure that is."""
    return Verdict(compare(held_out, first_stage), compare(held_out, present))
