"""Batches hold every text once and stay within their bounds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plugin.models.batching import batches

LENGTHS = st.lists(st.integers(1, 600), max_size=40)


@given(LENGTHS, st.integers(1, 2000), st.none() | st.integers(1, 8))
def test_every_text_is_in_one_batch_within_the_bounds(
    lengths: list[int], budget: int, most: int | None
) -> None:
    made = list(batches(lengths, budget, most=most))

    assert sorted(place for batch in made for place in batch) == list(range(len(lengths)))
    for batch in made:
        padded = len(batch) * max(lengths[place] for place in batch)
        assert padded <= budget or len(batch) == 1
        assert most is None or len(batch) <= most


@given(LENGTHS)
def test_the_longest_come_first(lengths: list[int]) -> None:
    order = [lengths[place] for batch in batches(lengths, 1000) for place in batch]

    assert all(after <= before for before, after in pairwise(order))
