"""Measures of ranking quality per query, computed by ir-measures (trec_eval's definitions).

Source: https://ir-measur.es. nDCG has linear gain and discount log2(rank + 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import ir_measures
import numpy as np
import numpy.typing as npt

from evaluation.collections import Qrels
from evaluation.runs import Run

MAIN = "nDCG@10"
DEPTH = 100
"""So many documents of each query are taken where nobody says otherwise."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """``values[name]`` is float64 (len(queries),), in the order of ``queries``."""

    queries: tuple[str, ...]
    values: Mapping[str, Values]

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean of each measure over all judged queries."""
        return {name: float(values.mean()) for name, values in self.values.items()}

    def by_query(self) -> dict[str, dict[str, float]]:
        """Query id → measure → value."""
        return {
            query: {name: float(values[place]) for name, values in self.values.items()}
            for place, query in enumerate(self.queries)
        }


def names(depth: int = DEPTH) -> tuple[str, ...]:
    """The measures of runs ``depth`` documents deep; AP's mean over the queries is MAP.

    Recall at ``depth`` is what a window of that size leaves to be won: no order changes it.
    """
    return tuple(dict.fromkeys((MAIN, "AP", "RR@10", "R@10", f"R@{depth}", "Judged@10")))


def measure(qrels: Qrels, run: Run, depth: int = DEPTH) -> Scores:
    """Every measure of ``run`` for every query of ``qrels``; a query without results counts 0.

    Documents are taken in the order of ``run``, whatever their scores: ties are broken by the
    engine or the strategy, never by the evaluation.
    """
    parsed = [ir_measures.parse_measure(name) for name in names(depth)]
    queries = tuple(qrels)
    places = {query: place for place, query in enumerate(queries)}
    values = {name: np.zeros(len(queries), dtype=np.float64) for name in names(depth)}
    for metric in ir_measures.iter_calc(parsed, _graded(qrels), _scored(qrels, run)):
        values[str(metric.measure)][places[metric.query_id]] = metric.value
    return Scores(queries, values)


def _graded(qrels: Qrels) -> list[ir_measures.Qrel]:
    return [
        ir_measures.Qrel(query, document, grade)
        for query, grades in qrels.items()
        for document, grade in grades.items()
    ]


def _scored(qrels: Qrels, run: Run) -> list[ir_measures.ScoredDoc]:
    return [
        ir_measures.ScoredDoc(query, item.id, -float(rank))
        for query in qrels
        for rank, item in enumerate(run.get(query, ()))
    ]
