"""Read a permutation such as ``[3] > [1] > [2]`` out of an LLM's answer.

Passage numbers are 1-based in the answer and 0-based in ``Permutation.order``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_REASONING = re.compile(r"<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_REASONING_END = re.compile(r"\A.*</think>", re.DOTALL | re.IGNORECASE)  # opened by the template
_REASONING_CUT = re.compile(r"<think>.*\Z", re.DOTALL | re.IGNORECASE)  # cut off by a token limit
_BRACKETED = re.compile(r"\[\s*(\d+)\s*\]")
_CHAIN = re.compile(r"(?<![\w.])\d+(?:\s*>\s*\d+)+(?![\w.]*\d)")
_NUMBER = re.compile(r"\d+")


class Outcome(StrEnum):
    """How an answer could be read."""

    CLEAN = "clean"
    REPAIRED = "repaired"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Permutation:
    """Every passage exactly once, best first.

    ``missing`` passages were appended in first-stage order; ``repeated`` and ``out_of_range``
    numbers were ignored. An unusable answer gives the first-stage order.
    """

    order: tuple[int, ...]
    outcome: Outcome
    missing: int = 0
    repeated: int = 0
    out_of_range: int = 0


def parse(answer: str, count: int) -> Permutation:
    """The permutation of ``count`` passages that ``answer`` states.

    Reasoning blocks are dropped first. Bracketed numbers are read first; only where there is none,
    bare numbers joined by ``>`` are, so that an echoed score or count is nobody's number.
    """
    numbers = _numbers(_without_reasoning(answer))
    valid = [number - 1 for number in numbers if 1 <= number <= count]
    order = list(dict.fromkeys(valid))
    if not order:
        return Permutation(
            tuple(range(count)), Outcome.UNUSABLE, count, 0, len(numbers) - len(valid)
        )
    stated = set(order)
    missing = [place for place in range(count) if place not in stated]
    repeated = len(valid) - len(order)
    out_of_range = len(numbers) - len(valid)
    clean = not (missing or repeated or out_of_range)
    outcome = Outcome.CLEAN if clean else Outcome.REPAIRED
    return Permutation((*order, *missing), outcome, len(missing), repeated, out_of_range)


def _without_reasoning(answer: str) -> str:
    answer = _REASONING.sub(" ", answer)
    answer = _REASONING_END.sub(" ", answer)
    return _REASONING_CUT.sub(" ", answer)


def _numbers(answer: str) -> list[int]:
    found = _BRACKETED.findall(answer)
    if not found:
        found = [number for chain in _CHAIN.findall(answer) for number in _NUMBER.findall(chain)]
    # Longer digit strings are nobody's passage, and int() refuses very long ones.
    return [int(number) if len(number) <= 6 else 0 for number in found]
