"""Where a strategy did worst: the queries that lost most, and what stood where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluation.collections import Qrels
from evaluation.experiment import Result
from evaluation.measures import MAIN
from evaluation.runs import ScoredDocument

COUNT = 5
"""So many queries are shown of a strategy."""

TOP = 5
"""So many documents are shown of an order."""

SNIPPET = 300
"""So many characters are shown of a document."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document at the top of one order; ``grade`` None: nobody judged it.

    ``elsewhere`` is its rank in the other order, from 1; None where it is not there.
    """

    id: str
    grade: int | None
    elsewhere: int | None


@dataclass(frozen=True, slots=True)
class Loss:
    """A query whose nDCG@10 fell from ``before`` to ``after``, and both orders' first documents."""

    query: str
    before: float
    after: float
    first_stage: tuple[Listed, ...]
    reranked: tuple[Listed, ...]

    @property
    def ids(self) -> set[str]:
        """The documents that are shown."""
        return {one.id for one in (*self.first_stage, *self.reranked)}


def worst_losses(qrels: Qrels, baseline: Result, result: Result, count: int = COUNT) -> list[Loss]:
    """The queries that lost most nDCG@10 against ``baseline``, worst first; fewer if fewer lost."""
    before, after = baseline.scores.values[MAIN], result.scores.values[MAIN]
    differences = after - before
    worst = [place for place in np.argsort(differences, kind="stable") if differences[place] < 0]
    return [
        _loss(
            qrels,
            result.scores.queries[place],
            (float(before[place]), float(after[place])),
            baseline,
            result,
        )
        for place in worst[:count]
    ]


def _loss(
    qrels: Qrels, query: str, values: tuple[float, float], baseline: Result, result: Result
) -> Loss:
    first = [one.id for one in _found(baseline, query)]
    now = [one.id for one in _found(result, query)]
    grades = qrels[query]

    def listed(ids: Iterable[str], other: Sequence[str]) -> tuple[Listed, ...]:
        places = {id_: rank for rank, id_ in enumerate(other, start=1)}
        return tuple(Listed(id_, grades.get(id_), places.get(id_)) for id_ in ids)

    return Loss(query, *values, listed(first[:TOP], now), listed(now[:TOP], first))


def _found(result: Result, query: str) -> Sequence[ScoredDocument]:
    return result.outcome.run.get(query, ())


def loss_json(loss: Loss, query: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """``loss`` with the text of its query and of its documents."""

    def told(listed: Iterable[Listed]) -> list[dict[str, Any]]:
        return [{**asdict(one), "text": snippet(texts[one.id])} for one in listed]

    return {
        "query": loss.query,
        "text": query,
        "before": round(loss.before, 6),
        "after": round(loss.after, 6),
        "first_stage": told(loss.first_stage),
        "reranked": told(loss.reranked),
    }


def snippet(text: str) -> str:
    """The beginning of a document's text, on one line; not every language has spaces to cut at."""
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"
