"""The rescore clause in what every cluster has: a script, exact k-NN, or an order by id.

All three leave the response to the engine. A rescored hit's score is
``query_weight·_score + rescore_query_weight·(score of the clause)``; a hit that the clause does not
match, or that is beyond the window, keeps ``query_weight·_score``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.options import EngineKind
from plugin.ranking.hits import Vector

FIRST_STAGE_ORDER = 2.0**-40
"""The least weight of the first-stage score.

Hits beyond the window keep score times weight: with weight 0 they would tie and lose their order. A
power of two changes only a float32's exponent, so the order is kept to the last bit; and 2⁻⁴⁰ of a
BM25 score is far below the last bit of a cosine, so the window's order is not touched.
"""


class RescoreBy(StrEnum):
    """How the listwise vector is compared with the stored ones."""

    AUTO = "auto"
    SCRIPT = "script"
    KNN = "knn"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hit is: ids are unique only within an index."""

    index: str
    id: str


def by_script(
    kind: EngineKind,
    field: str,
    vector: Vector,
    weight: float,
    window: int,
    places: Sequence[Place] = (),
) -> dict[str, Any]:
    """Rescore by ``1 + cos(vector, field)``, for documents that have the field.

    With ``places``, only these hits are rescored: the exact window on any number of shards.
    """
    filters: list[dict[str, Any]] = [{"exists": {"field": field}}]
    if places:
        filters.append(among(places))
    clause = {
        "script_score": {
            "query": {"bool": {"filter": filters}},
            "script": _SCRIPTS[kind](field, vector),
        }
    }
    return rescore(clause, weight, 1.0, window)


def by_knn(
    kind: EngineKind,
    field: str,
    vector: Vector,
    weight: float,
    window: int,
    places: Sequence[Place],
) -> dict[str, Any]:
    """Rescore by exact k-NN among ``places``: a filter of no more than k hits is searched exactly.

    The engines score cosine as ``(1 + cos) / 2``, hence the weight of 2.
    """
    return rescore(_KNN[kind](field, vector, places), weight, 2.0, window)


def by_order(places: Sequence[Place], window: int) -> dict[str, Any]:
    """Rescore so that ``places`` come in the order given: an LLM's, or any other."""
    count = len(places)
    clauses = [
        {"constant_score": {"filter": among([place]), "boost": float(count - rank)}}
        for rank, place in enumerate(places)
    ]
    return rescore({"bool": {"should": clauses}}, FIRST_STAGE_ORDER, 1.0, window)


def rescore(
    clause: Mapping[str, Any], query_weight: float, rescore_weight: float, window: int
) -> dict[str, Any]:
    """One element of a request's ``rescore`` list."""
    return {
        "window_size": window,
        "query": {
            "rescore_query": dict(clause),
            "query_weight": max(query_weight, FIRST_STAGE_ORDER),
            "rescore_query_weight": rescore_weight,
        },
    }


def among(places: Sequence[Place]) -> dict[str, Any]:
    """The query that matches exactly these hits."""
    by_index: dict[str, list[str]] = {}
    for place in places:
        by_index.setdefault(place.index, []).append(place.id)
    clauses = [
        {"bool": {"filter": [{"term": {"_index": index}}, {"ids": {"values": ids}}]}}
        for index, ids in by_index.items()
    ]
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


def _opensearch_script(field: str, vector: Vector) -> dict[str, Any]:
    return {
        "lang": "knn",
        "source": "knn_score",
        "params": {
            "field": field,
            "query_value": vector.tolist(),
            "space_type": "cosinesimil",
        },
    }


def _elasticsearch_script(field: str, vector: Vector) -> dict[str, Any]:
    return {
        "source": "cosineSimilarity(params.vector, params.field) + 1.0",
        "params": {"field": field, "vector": vector.tolist()},
    }


def _opensearch_knn(field: str, vector: Vector, places: Sequence[Place]) -> dict[str, Any]:
    return {"knn": {field: {"vector": vector.tolist(), "k": len(places), "filter": among(places)}}}


def _elasticsearch_knn(field: str, vector: Vector, places: Sequence[Place]) -> dict[str, Any]:
    return {
        "knn": {
            "field": field,
            "query_vector": vector.tolist(),
            "k": len(places),
            "num_candidates": len(places),
            "filter": among(places),
        }
    }


_SCRIPTS = {
    EngineKind.OPENSEARCH: _opensearch_script,
    EngineKind.ELASTICSEARCH: _elasticsearch_script,
}
_KNN = {
    EngineKind.OPENSEARCH: _opensearch_knn,
    EngineKind.ELASTICSEARCH: _elasticsearch_knn,
}
