"""Batches by token budget, and splitting what does not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], budget: int, *, most: int | None = None) -> Iterator[list[int]]:
    """Places of texts of ``lengths`` tokens, in batches of at most ``budget`` padded tokens.

    ``most`` bounds the texts of a batch as well. Longest first, so that neighbours are of like
    length and the largest batch fails first where memory is short. A text longer than ``budget``
    is alone in its batch.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        full = most is not None and len(batch) >= most
        if batch and (full or lengths[batch[0]] * (len(batch) + 1) > budget):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
