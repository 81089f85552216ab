from __future__ import annotations

import numpy as np

from evaluation.large_index import MadeVectors


async def test_a_text_has_one_vector_of_length_one_in_whatever_company() -> None:
    vectors = MadeVectors("print", "model", "", 24)
    both = await vectors.embed(["one text", "another"])
    (alone,) = await vectors.embed(["another"])
    assert (both.shape, both.dtype) == ((2, 24), np.float32)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(both[1], alone)
    assert abs(both[0] @ both[1]) < 0.9
