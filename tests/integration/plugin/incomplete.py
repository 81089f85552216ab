"""Mappings that say too little of an index's vectors, or something else, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.integration.plugin.shared import Articles


def said_of(articles: Articles, **changed: Any) -> Callable[[dict[str, Any]], None]:
    """Changes ``_meta.rankside`` of a mapping; without any ``changed`` it is taken away."""

    def mapping(body: dict[str, Any]) -> None:
        meta = {**articles.meta.to_mapping()["rankside"], **changed}
        body["_meta"] = {"rankside": meta} if changed else {}

    return mapping


def same(_: str, document: dict[str, Any]) -> dict[str, Any]:
    """A document as it is."""
    return document


def mappings(vectors: str) -> dict[str, tuple[Mapping[str, Any], str, str]]:
    """What is changed, the reason that is given and its remedy; ``vectors`` is a field's type."""
    return {
        "another model": (
            {"fingerprint": "0123456789abcdef"},
            "stale_vectors",
            "serve the index's model",
        ),
        "under way": ({"fingerprint": ""}, "reembedding", "wait for `rankside backfill`"),
        "broken": ({"text_fields": 7}, "broken_meta", "run `rankside apply`"),
        "no such field": ({"vector_field": "nowhere"}, "no_vectors", "run `rankside backfill`"),
        "not a vector": ({"vector_field": "subject"}, "no_vectors", f"name a {vectors}"),
    }
