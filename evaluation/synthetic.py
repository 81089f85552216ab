"""Text made up from a seed: for speed it only matters how long it is, and it may be committed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SEED = 7
_TEXT = """
the of and to in is for on that with as are by this be from or an which at it can not have has
was one more these other their when may used between into than its each such also only two first
some time data system number water field result method change value case study high work state
large order small form effect level type group part show change process light area model test
line point found given often common during within under over through after before both most many
several pressure heat flow surface cell growth energy sample rate control range structure power
image signal paper author reader library index query search document word language sentence
meaning question answer engine memory storage network server request response table column
record update version river mountain forest weather season animal plant bird insect flower
garden kitchen bread butter window door street city village market price trade money worker
machine metal wood stone glass
"""
_WORDS = tuple(_TEXT.split())


def words(count: int, *, seed: int) -> str:
    """``count`` English words, drawn so that the n-th of the list is as frequent as 1 / n."""
    random = np.random.default_rng([SEED, abs(seed), seed < 0])
    ranks = np.arange(1, len(_WORDS) + 1)
    places = random.choice(len(_WORDS), count, p=(1 / ranks) / (1 / ranks).sum())
    return " ".join(_WORDS[place] for place in places)


def passages(count: int, *, length: int = 120) -> list[str]:
    """``count`` different texts of ``length`` words."""
    return [words(length, seed=number) for number in range(count)]


def unit_vectors(count: int, dimensions: int) -> npt.NDArray[np.float32]:
    """Random vectors of length 1, float32 (count, dimensions)."""
    drawn = np.random.default_rng(SEED).standard_normal((count, dimensions))
    vectors: npt.NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return vectors.astype(np.float32)
