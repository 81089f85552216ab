"""What InsertRank writes beside a passage: its first-stage score, on one of several scales.

Source: arXiv 2506.14086, whose ablations vary the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from plugin.ranking.hits import Hit

Scores = npt.NDArray[np.float64]


class ScoreMode(StrEnum):
    """What stands beside each passage."""

    RAW = "raw"
    MINMAX = "minmax"
    ZSCORE = "zscore"
    RANK = "rank"
    OFF = "off"


def shown_mode(hits: Sequence[Hit], mode: ScoreMode) -> ScoreMode:
    """``mode``, or `off` where all scores are the same: they say nothing then."""
    return mode if len({hit.score for hit in hits}) > 1 else ScoreMode.OFF


def score_labels(hits: Sequence[Hit], mode: ScoreMode, scale: float) -> list[str]:
    """One label a hit, in the order of ``hits``; empty where nothing is shown.

    ``scale`` is the upper end of `minmax`. A hit's label depends on all of ``hits``, so label a
    window as a whole, not each prompt of it.
    """
    if not hits:
        return []
    return _MODES[mode](np.array([hit.score for hit in hits], dtype=np.float64), scale)


def _raw(scores: Scores, _: float) -> list[str]:
    # Fused first stages (reciprocal ranks) score below 1, where two digits would make all alike.
    digits = 2 if np.abs(scores).max() >= 1 else 4
    return [f"{score:.{digits}f}" for score in scores]


def _minmax(scores: Scores, scale: float) -> list[str]:
    span = np.ptp(scores)
    scaled = (scores - scores.min()) / span if span else np.ones_like(scores)
    return [f"{value * scale:.{0 if scale >= 10 else 2}f}" for value in scaled]


def _zscore(scores: Scores, _: float) -> list[str]:
    deviation = scores.std()
    scaled = (scores - scores.mean()) / deviation if deviation else np.zeros_like(scores)
    return [f"{value:+.2f}" for value in scaled]


def _rank(scores: Scores, _: float) -> list[str]:
    """The place by score, ties as they stand: a cascade's window comes in another order."""
    places = np.empty(len(scores), dtype=np.int64)
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return [f"rank {place}" for place in places]


def _off(scores: Scores, _: float) -> list[str]:
    return ["" for _ in scores]


_MODES: dict[ScoreMode, Callable[[Scores, float], list[str]]] = {
    ScoreMode.RAW: _raw,
    ScoreMode.MINMAX: _minmax,
    ScoreMode.ZSCORE: _zscore,
    ScoreMode.RANK: _rank,
    ScoreMode.OFF: _off,
}
