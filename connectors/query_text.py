"""Find the words a query body searches for, where they can be read unambiguously."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugin.ranking.errors import UsageError

_FIELD_QUERIES = ("match", "match_phrase", "match_bool_prefix", "match_phrase_prefix")
_PLAIN_QUERIES = ("multi_match", "query_string", "simple_query_string", "combined_fields")


def query_text(body: Mapping[str, Any]) -> str:
    """The one text that ``body`` searches for.

    Full-text clauses are read at the top, in the ``must`` and ``should`` of a ``bool``, and inside
    ``function_score``, ``constant_score``, ``dis_max`` and ``nested``; the same text in several
    clauses is one text.

    Raises:
        UsageError: there is none, or there are several.
    """
    texts = list(dict.fromkeys(_texts(body.get("query"))))
    if len(texts) == 1:
        return texts[0]
    what = "no full-text clause" if not texts else f"{len(texts)} different texts"
    raise UsageError(f"the query has {what}; say what to rerank for with query_text")


def _texts(query: Any) -> Iterator[str]:
    if not isinstance(query, Mapping):
        return
    for name, value in query.items():
        if not isinstance(value, Mapping | list):
            continue
        if name in _FIELD_QUERIES and isinstance(value, Mapping):
            yield from _field_texts(value)
        elif name in _PLAIN_QUERIES and isinstance(value, Mapping):
            yield from _non_empty(value.get("query"))
        else:
            yield from _nested(name, value)


def _nested(name: str, value: Any) -> Iterator[str]:
    inner: list[Any] = []
    if name == "bool":
        inner = [*_listed(value.get("must")), *_listed(value.get("should"))]
    elif name in ("function_score", "constant_score", "nested", "script_score", "boosting"):
        inner = [value.get("query"), value.get("filter"), value.get("positive")]
    elif name == "dis_max":
        inner = _listed(value.get("queries"))
    for clause in inner:
        yield from _texts(clause)


def _field_texts(value: Mapping[str, Any]) -> Iterator[str]:
    for clause in value.values():
        yield from _non_empty(clause.get("query") if isinstance(clause, Mapping) else clause)


def _non_empty(text: Any) -> Iterator[str]:
    if isinstance(text, str) and text.strip():
        yield text.strip()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
