"""More hits than one prompt holds: which hits each prompt orders, and the order over all.

A *prompt window* is the hits of one prompt, by their places 0, 1, … in the order to begin with. The
plans here are generators without I/O: they yield rounds of prompt windows that do not depend on
each other, are sent each window's places best first, and return the order over all places. Every
place is in at least one prompt window where there are two or more, and in the order exactly once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from enum import StrEnum
from typing import TypeAlias

Window: TypeAlias = tuple[int, ...]
Rounds: TypeAlias = Generator[tuple[Window, ...], Sequence[Window], Window]


class WindowMode(StrEnum):
    """What is done with more hits than one prompt holds."""

    SLIDING = "sliding"
    TOURNAMENT = "tournament"


def rounds_of(count: int, size: int, stride: int, mode: WindowMode) -> Rounds:
    """The plan over ``count`` places: one prompt where it holds them all, else as ``mode`` says.

    ``size`` is at least 2, and ``stride`` from 1 to ``size - 1``: windows of a pass overlap.
    """
    if not (size >= 2 and 1 <= stride < size):
        raise ValueError(f"windows of {size} hits cannot be moved by {stride}")
    if count <= size:
        return _full(count)
    return _sliding(count, size, stride) if mode is WindowMode.SLIDING else _tournament(count, size)


def planned(count: int, size: int, stride: int, mode: WindowMode) -> list[Window]:
    """Every prompt window of the plan, were each answered as it stands: what it will cost."""
    rounds, windows = rounds_of(count, size, stride, mode), list[Window]()
    try:
        asked = next(rounds)
        while True:
            windows += asked
            asked = rounds.send(asked)
    except StopIteration:
        return windows


def _full(count: int) -> Rounds:
    if not count:
        return ()
    (order,) = yield (tuple(range(count)),)
    return order


def _sliding(count: int, size: int, stride: int) -> Rounds:
    """From the last places to the first; what is best in a window is carried into the next.

    Source: arXiv 2304.09542, section 3.2. A last window that would begin before the first place
    begins there.
    """
    order = list(range(count))
    start = count - size
    while True:
        (order[start : start + size],) = yield (tuple(order[start : start + size]),)
        if start == 0:
            return tuple(order)
        start = max(0, start - stride)


def _tournament(count: int, size: int) -> Rounds:
    """Groups side by side; the better half of each goes on until one prompt holds who is left."""
    left: Window = tuple(range(count))
    beaten: Window = ()
    while len(left) > size:
        ways = -(-len(left) // size)
        dealt = [left[first::ways] for first in range(ways)]
        played = iter((yield tuple(group for group in dealt if len(group) > 1)))
        groups = [next(played) if len(group) > 1 else group for group in dealt]
        left, behind = _halves(groups)
        beaten = behind + beaten
    (order,) = yield (left,)
    return order + beaten


def _halves(groups: Sequence[Window]) -> tuple[Window, Window]:
    """Who goes on and who does not: the first of every group, then every second, and so on."""
    going_on: list[int] = []
    behind: list[int] = []
    for depth in range(max(len(group) for group in groups)):
        for group in groups:
            if depth < len(group):
                half = max(1, len(group) // 2)
                (going_on if depth < half else behind).append(group[depth])
    return tuple(going_on), tuple(behind)
