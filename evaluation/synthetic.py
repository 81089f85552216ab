"""Text made up from a seed: for speed it only matters how long it is, and it may be committed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SEED = 7
_SYLLABLES = ("ra", "ko", "ti", "mel", "dor", "an", "su", "vi", "lo", "ber", "ne", "ga")
_VOCABULARY = 5_000


def words(count: int, *, seed: int) -> str:
    """``count`` words of a made-up language whose frequencies fall as 1 / rank."""
    random = np.random.default_rng([SEED, abs(seed), seed < 0])
    ranks = np.minimum(random.zipf(1.3, count), _VOCABULARY)
    return " ".join(_word(int(rank)) for rank in ranks)


def passages(count: int, *, length: int = 120) -> list[str]:
    """``count`` different texts of ``length`` words."""
    return [words(length, seed=number) for number in range(count)]


def unit_vectors(count: int, dimensions: int) -> npt.NDArray[np.float32]:
    """Random vectors of length 1, float32 (count, dimensions)."""
    drawn = np.random.default_rng(SEED).standard_normal((count, dimensions))
    vectors: npt.NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def _word(rank: int) -> str:
    letters = []
    while True:
        rank, place = divmod(rank, len(_SYLLABLES))
        letters.append(_SYLLABLES[place])
        if not rank:
            return "".join(letters)
