"""Ways to ask the LLM of InsertRank, measured: one cell a way."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.collections import Collection
from evaluation.llm_runs import as_run, load_remembered, rankings
from evaluation.measures import MAIN, Values, measure
from evaluation.memory import Hits
from plugin.models.llm_options import LLMOptions
from plugin.ranking.hits import Ranking, RankRequest, Strategy
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.score_labels import ScoreMode


@dataclass(frozen=True, slots=True)
class Cell:
    """One way to ask."""

    score_mode: ScoreMode
    initial_order: InitialOrder
    decoding: Decoding

    def __str__(self) -> str:
        return f"{self.decoding}, {self.score_mode}, {self.initial_order}"

    def on(self, options: LLMOptions) -> LLMOptions:
        """``options``, asking this way."""
        names = ("score_mode", "initial_order", "decoding")
        return options.model_copy(update={name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Measured:
    """What a cell gave: per query, float64 (queries,), and by what outcomes."""

    cell: Cell
    values: Values
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Asking:
    """How cells are measured: the LLM's settings, and how many queries are under way at once.

    ``answers`` is a file that keeps every answer, to go on where a measurement was ended.
    """

    llm: LLMOptions
    at_once: int = 4
    answers: Path | None = None


async def measure_cells(
    cells: Sequence[Cell],
    asking: Asking,
    collection: Collection,
    hits: Hits,
    advance: Callable[[int], None] = lambda _: None,
    told: Callable[[Cell], None] = lambda _: None,
) -> list[Measured]:
    """The cells in turn; an LLM is loaded once for each decoding.

    ``advance`` is told of each query, ``told`` of each cell that is done.

    Raises:
        SettingsError: no LLM is named, or the file of answers cannot be used.
        ModelUnavailable: the LLM cannot be loaded.
    """
    measured: list[Measured] = []
    requests = {
        query: RankRequest(text, hits[query], Strategy.INSERTRANK)
        for query, text in collection.queries.items()
        if hits[query]
    }
    for _, group in itertools.groupby(cells, lambda cell: cell.decoding):
        these = list(group)
        llm = load_remembered(these[0].on(asking.llm), asking.answers)
        try:
            for cell in these:
                began = time.perf_counter()
                orders = await rankings(
                    llm, cell.on(asking.llm), requests, asking.at_once, lambda: advance(1)
                )
                measured.append(_scored(cell, collection, orders, time.perf_counter() - began))
                told(cell)
        finally:
            await llm.close()
    return measured


def _scored(
    cell: Cell, collection: Collection, orders: Mapping[str, Ranking], seconds: float
) -> Measured:
    found = orders.values()
    return Measured(
        cell,
        measure(collection.qrels, as_run(orders)).values[MAIN],
        Counter(one.status.value for one in found),
        Counter(one.reason.partition(":")[0] for one in found if one.reason),
        seconds,
    )
