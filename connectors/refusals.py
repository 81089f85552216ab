"""Requests that an engine refuses to rescore, or whose order is not by score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_SCORE = ("_score", {"_score": "desc"}, {"_score": {"order": "desc"}})


def why_no_rescore(body: Mapping[str, Any], params: Mapping[str, Any]) -> str | None:
    """The reason a request is passed through as it is; None where it can be rescored.

    Measured on OpenSearch 3.6 and Elasticsearch 9.5: with ``sort`` a rescore is answered 400, with
    ``collapse`` 500 or 400, with ``scroll`` 400, in a hybrid query it is ignored or refused.
    """
    found = {
        "size_0": body.get("size", params.get("size")) in (0, "0"),
        "sorted_by_field": _sorted_by_field(body.get("sort")) or "sort" in params,
        "collapse": "collapse" in body,
        "search_after": "search_after" in body,
        "scroll": "scroll" in params,
        "hybrid_query": "hybrid" in (body.get("query") or {}),
        "retriever": "retriever" in body,
        "rank": "rank" in body,
    }
    return next((reason for reason, applies in found.items() if applies), None)


def _sorted_by_field(sort: Any) -> bool:
    """Whether ``sort`` is anything but the score, best first."""
    if sort is None:
        return False
    return any(one not in _BY_SCORE for one in (sort if isinstance(sort, list) else [sort]))
