"""A fingerprint changes with what a document vector depends on, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import (
    E2RANK_EVALUATED,
    E2RANK_README,
    ModelProfile,
    Pooling,
    fingerprint,
)

PROFILE = ModelProfile(
    name="some-model",
    location="owner/some-model",
    revision="abc",
    dimensions=8,
    max_tokens=64,
    pooling=Pooling.MEAN,
    listwise=E2RANK_EVALUATED,
)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other-model"},
        {"revision": "def"},
        {"dimensions": 4},
        {"pooling": Pooling.CLS},
        {"normalize": False},
        {"document_template": "passage: {text}"},
        {"end_token": "<end>"},
    ],
)
def test_the_fingerprint_changes_with_a_document_vector(change: dict[str, object]) -> None:
    assert replace(PROFILE, **change).fingerprint != PROFILE.fingerprint  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"location": "a/folder"},
        {"query_template": "query: {query}"},
        {"listwise": E2RANK_README},
        {"fusion": FusionWeights(query=1.0)},
        {"prompt_hits": 3},
        {"description": "text"},
    ],
)
def test_the_fingerprint_stays_where_stored_vectors_stay_comparable(
    change: dict[str, object],
) -> None:
    assert replace(PROFILE, **change).fingerprint == PROFILE.fingerprint  # type: ignore[arg-type]


def test_the_fingerprint_is_pinned_because_indexes_hold_it() -> None:
    assert PROFILE.fingerprint == "9be209c0a5f80667"


def test_cut_vectors_have_a_fingerprint_of_their_own() -> None:
    assert fingerprint(PROFILE, 8) == PROFILE.fingerprint
    assert fingerprint(PROFILE, 4) == replace(PROFILE, dimensions=4).fingerprint
