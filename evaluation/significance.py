"""Is a difference of means more than luck: paired randomisation test and bootstrap interval.

Source: Smucker, Allan, Carterette, "A Comparison of Statistical Significance Tests for Information
Retrieval Evaluation", CIKM 2007; the count of one added to both sides: Phipson and Smyth 2010.
Several at once: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 100_000
BOOTSTRAPS = 10_000
SEED = 20_251_022
EXACT_UP_TO = 16
"""Up to so many queries that differ, every one of the 2ⁿ sign patterns is tried."""

_CHUNK = 2_000
_DRAWS = 100_000_000
_SAME = 1e-12  # sums in another order differ by rounding; they are the same difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a measure differs between two systems on the same queries.

    ``difference`` is the mean of system less baseline, ``low`` and ``high`` its 95 % bootstrap
    percentile interval, ``p_value`` that of the two-sided paired randomisation test over
    ``resamples`` sign patterns (``exact`` where those are all there are).
    """

    difference: float
    low: float
    high: float
    p_value: float
    resamples: int
    exact: bool
    better: int
    worse: int

    def to_json(self) -> dict[str, Any]:
        """Rounded to a millionth."""
        return {
            "difference": round(self.difference, 6),
            "ci95": [round(self.low, 6), round(self.high, 6)],
            "p_value": self.p_value,
            "test": "two-sided paired randomisation",
            "resamples": self.resamples,
            "exact": self.exact,
            "better": self.better,
            "worse": self.worse,
        }


def compare(system: Values, baseline: Values, *, seed: int = SEED) -> Comparison:
    """Compare per-query values, float64 (queries,), of two systems in the same order of queries.

    Raises:
        ValueError: the shapes differ, or there is no query.
    """
    if system.shape != baseline.shape or system.ndim != 1 or not system.size:
        raise ValueError(f"paired values are needed, not shapes {system.shape}, {baseline.shape}")
    differences = system - baseline
    low, high = bootstrap_interval(differences, seed=seed)
    p_value, resamples, exact = _randomisation(differences, seed)
    return Comparison(
        difference=float(differences.mean()),
        low=low,
        high=high,
        p_value=p_value,
        resamples=resamples,
        exact=exact,
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """``p_values`` of tests made side by side, each raised for how many there were.

    Below 0.05 for any of them has a chance of 5 % at most where none of the systems differs.
    """
    count, largest = len(p_values), 0.0
    adjusted = [0.0] * count
    for place, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def bootstrap_interval(
    differences: Values, *, seed: int = SEED, resamples: int = BOOTSTRAPS
) -> tuple[float, float]:
    """95 % percentile interval of the mean of ``differences``, by resampling queries."""
    random = np.random.default_rng(seed)
    count = differences.size
    means = [
        differences[random.integers(0, count, (chunk, count))].mean(axis=1)
        for chunk in _chunks(resamples)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def bootstrap_ratio(parts: Values, wholes: Values, *, seed: int = SEED) -> tuple[float, float]:
    """95 % percentile interval of Σ parts / Σ wholes, by resampling queries, float64 (queries,).

    Of so many queries that it would take minutes fewer resamples are drawn, 1,000 at least.
    """
    random = np.random.default_rng(seed)
    count = parts.size
    ratios = []
    for _ in range(min(BOOTSTRAPS, max(1_000, _DRAWS // count))):
        rows = random.integers(0, count, count)
        ratios.append(parts[rows].sum() / wholes[rows].sum())
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def _randomisation(differences: Values, seed: int) -> tuple[float, int, bool]:
    """p-value, number of sign patterns, whether these are all."""
    varying = differences[differences != 0]  # a zero has no sign to flip
    observed = abs(float(varying.sum())) - _SAME
    if varying.size <= EXACT_UP_TO:
        patterns = 1 << varying.size
        bits = (np.arange(patterns)[:, None] >> np.arange(varying.size)) & 1
        extreme = int((np.abs((1 - 2 * bits) @ varying) >= observed).sum())
        return extreme / patterns, patterns, True
    random = np.random.default_rng(seed)
    extreme = 0
    for chunk in _chunks(RESAMPLES):
        signs = 1 - 2 * random.integers(0, 2, (chunk, varying.size), dtype=np.int8)
        extreme += int((np.abs(signs @ varying) >= observed).sum())
    return (extreme + 1) / (RESAMPLES + 1), RESAMPLES, False


def _chunks(total: int) -> list[int]:
    return [min(_CHUNK, total - done) for done in range(0, total, _CHUNK)]
