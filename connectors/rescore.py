"""The rescore clause in what every cluster has: a script, exact k-NN, or an order by id.

All three leave the response to the engine. A rescored hit's score is
``query_weight·_score + rescore_query_weight·(score of the clause)``; a hit that the clause does not
match, or that is beyond the window, keeps ``query_weight·_score``.

Sources: the engines' pages on rescoring, script score and k-NN queries; Lucene's QueryRescorer;
runs on OpenSearch 3.6 and Elasticsearch 9.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.options import EngineKind
from plugin.ranking.hits import Vector

_FLOOR = 40
_HEADROOM = 30
_LEAST_EXPONENT = -126  # of a float32 that keeps all its bits


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


@dataclass(frozen=True, slots=True)
class Weights:
    """``query`` is for the first-stage score, ``rescore`` for what the clause adds.

    ``query`` is always a power of two. That changes only a float32's exponent, so hits that no
    clause touches, such as those beyond the window, keep first-stage order to the last bit.
    """

    query: float
    rescore: float

    def of(self, first_stage_score: float, added: float) -> float:
        """A hit's score, where the clause gives it ``added``."""
        return self.query * first_stage_score + self.rescore * added


@dataclass(frozen=True, slots=True)
class VectorClause:
    """A query that scores documents by their vector: ``unit`` times its score is ``1 + cos``."""

    query: Mapping[str, Any]
    unit: float


def vector_weights(first_stage_weight: float, highest: float) -> Weights:
    """Weights that order by ``cos + first_stage_weight·_score``, ``highest`` the best ``_score``.

    The order of a sum is that of the sum times a constant: it is scaled so that the first stage's
    weight is the nearest power of two. Where that weight is 0, or too small to be seen beside a
    cosine, see ``least_weight``.
    """
    least = least_weight(highest)
    if first_stage_weight < least:
        return Weights(least, 1.0)
    query = 2.0 ** round(math.log2(first_stage_weight))
    return Weights(query, query / first_stage_weight)


def least_weight(highest: float) -> float:
    """The weight that keeps first-stage order beyond the window and stays unseen within it.

    With 0, hits beyond the window would tie. 2⁻⁴⁰ puts scores of up to 1024 at or below 2⁻³⁰, under
    half the last bit of a float32 between 1 and 2; higher scores get a smaller power.
    """
    if not math.isfinite(highest) or highest <= 0:
        return 2.0**-_FLOOR
    return 2.0 ** max(_LEAST_EXPONENT, -max(_FLOOR, math.ceil(math.log2(highest)) + _HEADROOM))


def by_script(
    kind: EngineKind, field: str, vector: Vector, unit: float, places: Sequence[Place] = ()
) -> VectorClause:
    """Score documents that have the field by script; with ``places``, only these.

    Its score is ``(1 + cos) / unit``: Elasticsearch's 1, and OpenSearch's 2 since version 2.19.
    """
    filters: list[dict[str, Any]] = [{"exists": {"field": field}}]
    if places:
        filters.append(among(places))
    query = {
        "script_score": {
            "query": {"bool": {"filter": filters}},
            "script": _SCRIPTS[kind](field, vector),
        }
    }
    return VectorClause(query, unit)


def by_knn(
    kind: EngineKind,
    field: str,
    vector: Vector,
    places: Sequence[Place],
    *,
    quantized: bool = False,
) -> VectorClause:
    """Score ``places`` by exact k-NN: a filter that matches no more than k is searched exactly.

    The engines score cosine as ``(1 + cos) / 2``. ``quantized`` asks Elasticsearch for the vectors
    as they were given instead of the shortened ones of the field's graph.
    """
    if kind is EngineKind.OPENSEARCH:
        values = {"vector": vector.tolist(), "k": len(places), "filter": among(places)}
        return VectorClause({"knn": {field: values}}, 2.0)
    clause: dict[str, Any] = {
        "field": field,
        "query_vector": vector.tolist(),
        "k": len(places),
        "num_candidates": len(places),
        "filter": among(places),
    }
    if quantized:
        clause["rescore_vector"] = {"oversample": 1.0}
    return VectorClause({"knn": clause}, 2.0)


def by_order(places: Sequence[Place]) -> dict[str, Any]:
    """A query that scores ``places`` n, n-1, … 1: an LLM's order, or any other."""
    clauses = [
        {"constant_score": {"filter": among([place]), "boost": float(len(places) - rank)}}
        for rank, place in enumerate(places)
    ]
    return {"bool": {"should": clauses}}


def vector_rescorer(clause: VectorClause, weights: Weights, window: int) -> dict[str, Any]:
    """One element of a request's ``rescore`` list, by vector."""
    return _rescorer(clause.query, weights.query, weights.rescore * clause.unit, window)


def order_rescorer(places: Sequence[Place], highest: float, window: int) -> dict[str, Any]:
    """One element of a request's ``rescore`` list, so that ``places`` come first, as ordered.

    ``highest`` is the best score that the hits have before it.
    """
    return _rescorer(by_order(places), least_weight(highest), 1.0, window)


def with_rescore(body: Mapping[str, Any], rescorers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The user's request with ours behind any ``rescore`` of its own."""
    own = body.get("rescore", [])
    own = own if isinstance(own, list) else [own]
    return {**body, "rescore": [*own, *map(dict, rescorers)]}


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


def _rescorer(
    query: Mapping[str, Any], query_weight: float, rescore_weight: float, window: int
) -> dict[str, Any]:
    return {
        "window_size": window,
        "query": {
            "rescore_query": dict(query),
            "query_weight": query_weight,
            "rescore_query_weight": rescore_weight,
            "score_mode": "total",
        },
    }


def _opensearch_script(field: str, vector: Vector) -> dict[str, Any]:
    params = {"field": field, "query_value": vector.tolist(), "space_type": "cosinesimil"}
    return {"lang": "knn", "source": "knn_score", "params": params}


def _elasticsearch_script(field: str, vector: Vector) -> dict[str, Any]:
    params = {"field": field, "vector": vector.tolist()}
    return {"source": "cosineSimilarity(params.vector, params.field) + 1.0", "params": params}


_SCRIPTS = {
    EngineKind.OPENSEARCH: _opensearch_script,
    EngineKind.ELASTICSEARCH: _elasticsearch_script,
}
