"""The order in which an LLM sees passages: it reads some places more carefully than others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from plugin.ranking.hits import RankRequest


class InitialOrder(StrEnum):
    """How the passages of a prompt are laid out; the answer is mapped back."""

    FIRST_STAGE = "first_stage"
    SHUFFLED = "shuffled"
    REVERSED = "reversed"


def laid_out(
    request: RankRequest, places: Sequence[int], order: InitialOrder, seed: int
) -> tuple[int, ...]:
    """``places`` of the window's hits as the prompt shows them.

    Shuffling depends on seed, query and ids alone, on no generator's state: the same request gives
    the same prompt on every machine, which is what a cache of answers is keyed by.
    """
    if order is InitialOrder.REVERSED:
        return tuple(reversed(places))
    if order is InitialOrder.SHUFFLED:
        return tuple(sorted(places, key=lambda place: _draw(seed, request, place)))
    return tuple(places)


def _draw(seed: int, request: RankRequest, place: int) -> bytes:
    drawn = f"{seed}\0{request.query}\0{request.windowed[place].id}"
    return hashlib.blake2b(drawn.encode("utf-8", "surrogatepass"), digest_size=16).digest()
