"""Signals as arrays, so that thousands of weights can be tried on rankings computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.collections import Qrels
from plugin.ranking.hits import SIGNALS, FusionWeights, Ranking

CUT = 10
"""nDCG is taken over so many documents."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """Signals and gains of every query's hits, in first-stage order.

    ``signals`` is float64 (queries, hits, 4) in the order of SIGNALS, ``gains`` float64 (queries,
    hits), ``ideal`` float64 (queries,): the DCG of the best order of all that is judged. Queries
    with fewer hits are padded with rows that rank last and gain nothing.
    """

    signals: Array
    gains: Array
    ideal: Array

    def ndcg(self, weights: FusionWeights, window: int | None = None) -> Array:
        """nDCG@10 of each query under ``weights``, float64 (queries,); ir-measures' definition.

        The first ``window`` hits are put in order, the others follow as they stood; None: all.
        """
        scores = self.signals @ np.array([weights.as_dict()[name] for name in SIGNALS])
        scores[np.isnan(scores)] = -np.inf
        if window is not None:
            scores[:, window:] = -np.inf
        # Stable, as the core's order is: ties keep first-stage order.
        order = np.argsort(-scores, axis=1, kind="stable")[:, :CUT]
        return self._ndcg(np.take_along_axis(self.gains, order, axis=1))

    @property
    def first_stage(self) -> Array:
        """nDCG@10 of each query's first stage."""
        return self._ndcg(self.gains[:, :CUT])

    def _ndcg(self, gains: Array) -> Array:
        dcg: Array = (gains * _discounts(gains.shape[1])).sum(axis=1)
        share: Array = np.divide(dcg, self.ideal, out=np.zeros_like(dcg), where=self.ideal > 0)
        return share


def table(rankings: Mapping[str, Ranking], qrels: Qrels) -> Table:
    """The table of ``rankings`` that carry the value of every signal.

    A hit whose ranking lacks a signal has 0 there; hits that were not ranked at all rank last.
    """
    depth = max((len(ranking.hits) for ranking in rankings.values()), default=0)
    signals = np.full((len(rankings), depth, len(SIGNALS)), np.nan)
    gains = np.zeros((len(rankings), depth))
    ideal = np.zeros(len(rankings))
    for place, (query, ranking) in enumerate(rankings.items()):
        grades = qrels[query]
        ideal[place] = _ideal(list(grades.values()))
        for ranked in ranking.hits:
            row = ranked.first_stage_rank - 1
            gains[place, row] = max(grades.get(ranked.hit.id, 0), 0)
            if ranked.signals:
                signals[place, row] = [ranked.signals.get(name, 0.0) for name in SIGNALS]
    return Table(signals, gains, ideal)


def _ideal(grades: Sequence[int]) -> float:
    best = np.sort(np.maximum(np.array(grades, dtype=np.float64), 0))[::-1][:CUT]
    return float((best * _discounts(best.size)).sum())


def _discounts(count: int) -> Array:
    return np.asarray(1 / np.log2(np.arange(2, count + 2)), dtype=np.float64)
