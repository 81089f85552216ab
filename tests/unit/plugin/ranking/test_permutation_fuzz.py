"""The parser against a slow reference, over generated answers; RANKSIDE_FUZZ says how many."""

from __future__ import annotations

import os
import random
import string

import pytest

from plugin.ranking.permutation import Outcome, parse
from tests.reference_parser import read

ANSWERS = int(os.environ.get("RANKSIDE_FUZZ", "10000"))
PARTS = 10  # each with a seed of its own, so that a failure is quickly made again

DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16")
NUMERALS = ("²", "Ⅳ", "iv", "three", "½", "④", "1st", "2nd", "#3", "4.", "-5", "0", "007", "9" * 30)
PROSE = (
    "Here are {n} passages:", "The order is", "because passage {n} says so", "BM25 12.5",
    "(BM25 {n})", "12.5 > {n}.1", "Sure!", "```json", "```", "\n\n", "**", "1. ", "and", ".", ",",
    "passage {n}", "I cannot rank these.", "x > y", "->", "=>", "<answer>", "</answer>", "score: 7",
    "[{n}", "{n}]", "[]", "[ ]", "[x]", "[{n}, {m}]", "[{n},{m}", "{n} > {m}", "{n}>{m}.5", "(1)",
)  # fmt: skip
TAGS = ("<think>", "</think>", "<THINK>", "</Thinking>", "<reasoning>", "</reasoning>", "<thought>")
LINKS = (" > ", ">", " >", "\n", ", ", " ", " \uff1e ", " \u227b ", " >\n> ", " = ")
BRACKETS = (
    ("[", "]"),
    ("[ ", " ]"),
    ("\uff3b", "\uff3d"),
    ("\u3010", "\u3011"),
    ("", ""),
    ("(", ")"),
)
NOISE = string.printable + "[]>>>,123 \u200b\ud800\u2028é漢"


class Writer:
    """Answers as LLMs give them, and as none does."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def answer(self, count: int) -> str:
        pieces = [self.piece(count) for _ in range(self.random.randrange(6))]
        text = self.random.choice(("", " ", "\n")).join(pieces)
        if self.random.random() < 0.3:
            text = text[: self.random.randrange(len(text) + 1)]
        return text

    def piece(self, count: int) -> str:
        kinds = (self.order, self.order, self.prose, self.noise, self.numeral, self.tag)
        return self.random.choice(kinds)(count)

    def order(self, count: int) -> str:
        numbers = list(range(1, count + 1))
        self.random.shuffle(numbers)
        if self.random.random() < 0.4:
            numbers = self.random.choices(range(count + 3), k=self.random.randrange(count + 3))
        opening, closing = self.random.choice(BRACKETS)
        link = self.random.choice(LINKS)
        return link.join(f"{opening}{self.number(n)}{closing}" for n in numbers)

    def number(self, value: int) -> str:
        if self.random.random() < 0.9:
            return str(value)
        digits = self.random.choice(DIGITS)
        return "".join(digits[int(digit) % len(digits)] for digit in str(value))

    def prose(self, count: int) -> str:
        n, m = self.random.randrange(count + 2), self.random.randrange(count + 2)
        return self.random.choice(PROSE).replace("{n}", str(n)).replace("{m}", str(m))

    def noise(self, _count: int) -> str:
        return "".join(self.random.choices(NOISE, k=self.random.randrange(20)))

    def numeral(self, _count: int) -> str:
        return self.random.choice(NUMERALS)

    def tag(self, _count: int) -> str:
        return self.random.choice(TAGS)


def outcome_of(count: int, missing: int, repeated: int, out_of_range: int) -> Outcome:
    if missing == count:
        return Outcome.UNUSABLE
    return Outcome.REPAIRED if missing or repeated or out_of_range else Outcome.CLEAN


@pytest.mark.parametrize("part", range(PARTS))
def test_any_answer_is_read_as_the_reference_reads_it(part: int) -> None:
    writer = Writer(part)
    outcomes = dict.fromkeys(Outcome, 0)
    for _ in range(ANSWERS // PARTS):
        count = writer.random.choice((0, 1, 2, 3, 5, 12, 20))
        answer, cut = writer.answer(count), writer.random.random() < 0.2

        found = parse(answer, count, cut=cut)

        told = (found.missing, found.repeated, found.out_of_range, found.truncated)
        assert (list(found.order), *told) == read(answer, count, cut=cut), repr(answer)
        assert sorted(found.order) == list(range(count))
        assert found.outcome is outcome_of(count, *told[:3])
        outcomes[found.outcome] += 1
    assert min(outcomes.values()) > ANSWERS // PARTS // 50, "these answers try too little"
