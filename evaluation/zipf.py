"""Texts of made-up words that are as frequent as words of a language, for indices of real size."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from evaluation.synthetic import SEED

VOCABULARY = 30_000
_SYLLABLES = tuple(map("".join, itertools.product("bdfgklmnprstvz", "aeiou")))
_QUERY_RANKS = (30, 3_000)


class ZipfText:
    """Words drawn so that the n-th of `VOCABULARY` is as frequent as 1 / n.

    That is Zipf's law. The same seed gives the same texts.
    """

    def __init__(self, seed: int = SEED) -> None:
        self._words = [_word(number) for number in range(VOCABULARY)]
        shares = 1 / np.arange(1, VOCABULARY + 1)
        self._cumulated = np.cumsum(shares / shares.sum())
        self._seed = seed

    def passage(self, number: int, length: int) -> str:
        """The ``number``-th text, of ``length`` words."""
        return self._text(self._random("passage", number).random(length))

    def query(self, number: int, length: int = 3) -> str:
        """The ``number``-th query: words that are in many texts, but not in most."""
        first, last = (self._cumulated[rank - 1] for rank in _QUERY_RANKS)
        drawn = self._random("query", number).random(length)
        return self._text(first + (last - first) * drawn)

    def _random(self, what: str, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, len(what), number])

    def _text(self, shares: npt.NDArray[np.float64]) -> str:
        places = np.searchsorted(self._cumulated, shares)
        return " ".join(self._words[min(int(place), len(self._words) - 1)] for place in places)


def _word(number: int) -> str:
    """A word of its own for every number: two syllables or more."""
    word = ""
    number += len(_SYLLABLES)
    while number:
        number, digit = divmod(number, len(_SYLLABLES))
        word += _SYLLABLES[digit]
    return word
