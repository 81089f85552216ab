from __future__ import annotations

import numpy as np

from evaluation.synthetic import passages, unit_vectors, words


def test_words_are_as_many_as_asked_and_the_same_every_time() -> None:
    assert len(words(50, seed=3).split()) == 50
    assert words(50, seed=3) == words(50, seed=3)
    assert words(50, seed=3) != words(50, seed=-3)


def test_no_two_passages_are_the_same() -> None:
    assert len(set(passages(200, length=30))) == 200


def test_vectors_have_length_one() -> None:
    vectors = unit_vectors(9, 16)
    assert (vectors.shape, vectors.dtype) == ((9, 16), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
