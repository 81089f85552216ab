"""What the tests of both plugins' `rankside_vector` ask, and what exact cosines say to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

DIMENSIONS = 64  # the fewest that Elasticsearch shortens to bits
COUNT = 60
WITH_VECTOR = {number for number in range(COUNT) if number % 4}
OURS = {number for number in WITH_VECTOR if number % 3 != 2}
ABOVE_ALL = 2.0**-40

Vector = npt.NDArray[np.float32]
Hits = list[dict[str, Any]]

# Whole numbers, so that bytes hold them exactly.
VECTORS: Vector = (
    np.random.default_rng(3).integers(-100, 100, (COUNT, DIMENSIONS)).astype(np.float32)
)
ASKED: Vector = np.random.default_rng(4).standard_normal(DIMENSIONS).astype(np.float32)
SCORES = 1 + VECTORS @ ASKED / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(ASKED)


def bulk_lines(start: int, end: int) -> list[dict[str, Any]]:
    """Some of `COUNT` documents, for a bulk call; a fourth of them has no vector."""
    return [line for number in range(start, end) for line in _lines(number)]


def _lines(number: int) -> list[dict[str, Any]]:
    document: dict[str, Any] = {"text": "word " * (1 + number % 5)}
    if number in WITH_VECTOR:
        document["v"] = VECTORS[number].tolist()
    if number % 3:
        document["hash"] = f"{('other', 'ours')[number % 3 == 1]}:{number}"
    return [{"index": {"_id": str(number)}}, document]


def properties(vector: Mapping[str, Any]) -> dict[str, Any]:
    """Of a mapping with the vector field ``v``."""
    return {
        "v": dict(vector),
        "hash": {"type": "keyword", "index": False},
        "text": {"type": "text"},
        "named": {"type": "alias", "path": "v"},
    }


def query(**options: Any) -> dict[str, Any]:
    """One that compares `ASKED` with all of ``v``."""
    return {"rankside_vector": {"field": "v", "vector": ASKED.tolist(), **options}}


def scores(hits: Hits) -> dict[int, float]:
    """By document, in the order of the hits."""
    return {int(hit["_id"]): hit["_score"] for hit in hits}


def assert_cosines(found: Mapping[int, float], expected: set[int], within: float = 1e-5) -> None:
    """Check that ``expected`` were found, with their exact cosines."""
    assert found.keys() == expected
    for number, score in found.items():
        assert score == pytest.approx(SCORES[number], abs=within)


def rescored() -> dict[str, Any]:
    """A search of all documents, rescored by the vectors of our model."""
    clause = {
        "rescore_query": query(hash_field="hash", fingerprint="ours"),
        "query_weight": ABOVE_ALL,
    }
    rescore = {"rescore": {"window_size": COUNT, "query": clause}}
    return {"query": {"match": {"text": "word"}}, **rescore}


def assert_rescored(hits: Hits, first: Hits) -> None:
    """Check that what cannot be compared is behind the rest, in first-stage order."""
    best = sorted(OURS, key=lambda number: -SCORES[number])
    assert list(scores(hits)) == best + [number for number in scores(first) if number not in OURS]
    assert all(hit["_score"] >= 0 for hit in hits)
