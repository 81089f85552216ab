"""Requests that an engine does not rescore, or not rightly, and what is done instead.

Tried on OpenSearch 3.6 and Elasticsearch 9.5: a rescore beside ``sort`` is answered 400, beside
``scroll`` 400. Beside ``collapse`` OpenSearch answers 500, and Elasticsearch returns two hits of
one group where a group's hits are on several shards. In a hybrid query each part is rescored before
the parts' scores are normalised, so the order is neither. Beside a ``retriever`` it is answered
400, and the retriever that rescores ends at its window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.search_options import Method, PassThrough

_BY_SCORE = ("_score", {"_score": "desc"}, {"_score": {"order": "desc"}})
_PAGE = 10


def method(body: Mapping[str, Any], params: Mapping[str, Any]) -> Method:
    """How to rerank a request.

    Raises:
        PassThrough: nothing may be changed about its order, or there is none.
    """
    _, size = page(body, params)
    if size == 0:
        raise PassThrough("size_0")
    if not (_by_score(body.get("sort")) and _by_score(params.get("sort"))):
        raise PassThrough("sorted_by_field")
    if "search_after" in body:
        raise PassThrough("search_after")
    if "scroll" in params:
        raise PassThrough("scroll")
    for key in ("rank", "sub_searches"):
        if key in body:
            raise PassThrough(key)
    query = body.get("query")
    hybrid = isinstance(query, Mapping) and "hybrid" in query
    reordered = hybrid or "collapse" in body or "retriever" in body
    return Method.REORDER if reordered else Method.RESCORE


def page(body: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[int, int]:
    """``from`` and ``size`` of a request; parameters of the address are the stronger."""
    first = _count(params.get("from", body.get("from")), 0)
    return first, _count(params.get("size", body.get("size")), _PAGE)


def _count(value: Any, default: int) -> int:
    """What the engine will read; what is no number it will refuse itself."""
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError):
        return default


def _by_score(sort: Any) -> bool:
    """Whether ``sort`` is the score, best first, or not there."""
    if sort is None:
        return True
    listed = sort if isinstance(sort, list) else [sort]
    return all(one in _BY_SCORE or one == "_score:desc" for one in listed)
