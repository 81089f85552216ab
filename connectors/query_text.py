"""Find the words a request searches for, where they can be read unambiguously."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugin.ranking.errors import UsageError

# Queries of one field, which take the text itself or an object; the name of its key in the object.
_FIELD_QUERIES = {
    "match": "query",
    "match_phrase": "query",
    "match_bool_prefix": "query",
    "match_phrase_prefix": "query",
    "neural": "query_text",
    "neural_sparse": "query_text",
    "text_expansion": "model_text",
}
_PLAIN_QUERIES = (
    "multi_match",
    "query_string",
    "simple_query_string",
    "combined_fields",
    "semantic",
    "sparse_vector",
)
# Queries around other queries, and where those are. What only filters or demotes is no search text.
_WRAPPERS = {
    "bool": ("must", "should"),
    "function_score": ("query",),
    "constant_score": ("filter",),
    "script_score": ("query",),
    "nested": ("query",),
    "boosting": ("positive",),
    "dis_max": ("queries",),
    "hybrid": ("queries",),
    "pinned": ("organic",),
    # Retrievers of Elasticsearch.
    "standard": ("query",),
    "rescorer": ("retriever",),
    "rrf": ("retrievers", "query"),
    "linear": ("retrievers", "query"),
    "text_similarity_reranker": ("retriever",),
}


def query_text(body: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> str:
    """The one text that a request searches for.

    Full-text clauses are read wherever they score: at the top, in the ``must`` and ``should`` of a
    ``bool``, inside the queries and retrievers that wrap others. The same text in several clauses
    is one text; so is the ``q`` of a request without a query.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = [*_texts(body.get("query")), *_texts({"retriever": body.get("retriever")})]
    texts = list(dict.fromkeys(found or _non_empty((params or {}).get("q"))))
    if len(texts) == 1:
        return texts[0]
    what = "no full-text clause" if not texts else f"{len(texts)} different texts"
    raise UsageError(f"the query has {what}; say what to rerank for with query_text")


def text_query(text: str, fields: Sequence[str]) -> dict[str, Any]:
    """The query that a plain text becomes: its words in ``fields``, the best field counts.

    Without fields those that the index searches by default.
    """
    return {"multi_match": {"query": text, **({"fields": list(fields)} if fields else {})}}


def _texts(query: Any) -> Iterator[str]:
    """The texts of a query, a retriever, or a list of them; some retrievers take a bare text."""
    if isinstance(query, list):
        for one in query:
            yield from _texts(one)
    elif isinstance(query, Mapping):
        for name, value in query.items():
            if isinstance(value, Mapping):
                yield from _clause_texts(name, value)
    else:
        yield from _non_empty(query)


def _clause_texts(name: str, value: Mapping[str, Any]) -> Iterator[str]:
    if name in _FIELD_QUERIES:
        yield from _field_texts(value, _FIELD_QUERIES[name])
    elif name in _PLAIN_QUERIES:
        yield from _non_empty(value.get("query"))
    elif name == "retriever":
        yield from _texts(value)
    for inner in _WRAPPERS.get(name, ()):
        yield from _texts(value.get(inner))


def _field_texts(value: Mapping[str, Any], key: str) -> Iterator[str]:
    for clause in value.values():
        yield from _non_empty(clause.get(key) if isinstance(clause, Mapping) else clause)


def _non_empty(text: Any) -> Iterator[str]:
    if isinstance(text, str) and text.strip():
        yield text.strip()
