"""Read a permutation such as ``[3] > [1] > [2]`` out of an LLM's answer.

Passage numbers are 1-based in the answer and 0-based in ``Permutation.order``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_REASONING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
# What some models write for the signs they were asked for; no text in a prompt has them (neutral).
_SIGNS = str.maketrans("\uff3b\u3010\uff3d\u3011\uff1e\u227b", "[[]]>>")
# Possessive, so that no answer, however odd, takes more than linear time.
_ID = r"\[\s*+\d++\s*+\]"
_BRACKETED = re.compile(_ID)
_LINK = re.compile(rf">\s*+(?:{_ID}|\Z)")
_LIST = re.compile(r"\[\s*+\d++(?:\s*+,\s*+\d++)*+\s*+(?:\]|,?\s*+\Z)")
_CHAIN = re.compile(r"(?<![\w.])\d++(?:\s*+>\s*+\d++)+(?![\w.]*\d)")
_NUMBER = re.compile(r"\d+")
_LONGEST = 6  # longer digit strings are nobody's passage, and int() refuses very long ones
_UNFINISHED = re.compile(r"(?:[\d\]]\s*+[>,]|\[\s*+\d*+)\Z")


class Outcome(StrEnum):
    """How an answer could be read."""

    CLEAN = "clean"
    REPAIRED = "repaired"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Permutation:
    """Every passage exactly once, best first.

    ``missing`` passages were appended in the order they were shown in; ``repeated`` and
    ``out_of_range`` numbers were ignored. ``truncated`` says that the answer ended before the LLM
    ended it. An unusable answer gives the order they were shown in.
    """

    order: tuple[int, ...]
    outcome: Outcome
    missing: int = 0
    repeated: int = 0
    out_of_range: int = 0
    truncated: bool = False

    @property
    def stated(self) -> tuple[int, ...]:
        """The passages that the answer names, best first."""
        return self.order[: len(self.order) - self.missing]


def parse(answer: str, count: int, *, cut: bool = False) -> Permutation:
    """The permutation of ``count`` passages that ``answer`` states.

    Reasoning blocks are dropped first. Bracketed numbers are read first; those in front of the
    first that ``>`` joins to another are prose, and come last. Only where there is none, a JSON
    list of numbers is read, or else bare numbers joined by ``>``: an echoed score or count is
    nobody's number. ``cut`` says that a token limit or a deadline ended the answer.
    """
    said, unfinished = _without_reasoning(answer.translate(_SIGNS))
    truncated = cut or unfinished or bool(_UNFINISHED.search(said.rstrip()))
    numbers = _numbers(said, cut=truncated)
    valid = [number - 1 for number in numbers if 1 <= number <= count]
    order = list(dict.fromkeys(valid))
    out_of_range = len(numbers) - len(valid)
    if not order:
        whole = tuple(range(count))
        return Permutation(whole, Outcome.UNUSABLE, count, 0, out_of_range, truncated)
    stated = set(order)
    missing = [place for place in range(count) if place not in stated]
    repeated = len(valid) - len(order)
    clean = not (missing or repeated or out_of_range)
    outcome = Outcome.CLEAN if clean else Outcome.REPAIRED
    order += missing
    return Permutation(tuple(order), outcome, len(missing), repeated, out_of_range, truncated)


def _without_reasoning(answer: str) -> tuple[str, bool]:
    """What is said outside of reasoning blocks, and whether one of them is not closed.

    A closing tag without an opening one ends reasoning that a chat template had opened.
    """
    said: list[str] = []
    start, inside = 0, False
    for tag in _REASONING.finditer(answer):
        if not inside:
            said.append(answer[start : tag.start()])
        if tag[1] and not inside:
            said.clear()
        inside = not tag[1]
        start = tag.end()
    if not inside:
        said.append(answer[start:])
    return " ".join(said), inside


def _numbers(said: str, *, cut: bool) -> list[int]:
    found = _in_brackets(said) or _in(_LIST, said, cut=cut) or _in(_CHAIN, said, cut=cut)
    return [int(number) if len(number) <= _LONGEST else 0 for number in found]


def _in_brackets(said: str) -> list[str]:
    start = _order_start(said)
    found = _BRACKETED.findall(said[start:]) + _BRACKETED.findall(said[:start])
    return [number for one in found for number in _NUMBER.findall(one)]


def _order_start(said: str) -> int:
    """Where the number stands that the first ``>`` before another number follows."""
    link = _LINK.search(said)
    before = list(_BRACKETED.finditer(said, 0, link.start())) if link else []
    return before[-1].start() if before else 0


def _in(form: re.Pattern[str], said: str, *, cut: bool) -> list[str]:
    found = [number for piece in form.findall(said) for number in _NUMBER.findall(piece)]
    # Of a number at the very end of a cut answer nobody knows whether more digits were to come.
    return found[:-1] if cut and found and said.endswith(found[-1]) else found
