"""The registry's entries, and what indexes out there depend on."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from plugin.models import registry
from plugin.ranking.errors import SettingsError
from plugin.ranking.profile import E2RANK_EVALUATED, Pooling


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("e2rank-0.6b", "35b9cc6fb9798007"),
        ("e2rank-4b", "501d605186f3123a"),
        ("e2rank-8b", "d9f4812ebb4f900a"),
        ("all-minilm-l6-v2", "eaadeadd1e0c2209"),
    ],
)
def test_fingerprints_are_pinned_because_indexes_hold_them(name: str, fingerprint: str) -> None:
    assert registry.get(name).fingerprint == fingerprint


def test_names_are_unique_and_in_order() -> None:
    assert registry.names() == ("e2rank-0.6b", "e2rank-4b", "e2rank-8b", "all-minilm-l6-v2")


@pytest.mark.parametrize(
    ("name", "location", "dimensions"),
    [
        ("e2rank-0.6b", "Alibaba-NLP/E2Rank-0.6B", 1024),
        ("e2rank-4b", "Alibaba-NLP/E2Rank-4B", 2560),
        ("e2rank-8b", "Alibaba-NLP/E2Rank-8B", 4096),
    ],
)
def test_e2rank_as_published(name: str, location: str, dimensions: int) -> None:
    profile = registry.get(name)

    assert (profile.location, profile.dimensions) == (location, dimensions)
    assert profile.max_tokens == 32_768
    assert profile.pooling is Pooling.LAST_TOKEN
    assert profile.end_token == "<|endoftext|>"
    assert profile.listwise == E2RANK_EVALUATED
    assert profile.fusion.signals == ("listwise",)
    assert profile.prompt_hits == 20


def test_entries_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        registry.get("e2rank-0.6b").dimensions = 3  # type: ignore[misc]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"'bert'.*e2rank-0\.6b.*all-minilm-l6-v2"):
        registry.get("bert")
