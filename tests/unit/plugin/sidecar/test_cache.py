from __future__ import annotations

import numpy as np

from plugin.ranking.prompts import EncoderInput, InputKind
from plugin.sidecar.cache import VectorCache

DOCUMENT = EncoderInput(InputKind.DOCUMENT, "text")
VECTOR = np.ones(16, dtype=np.float32)


def test_a_document_is_found_by_model_and_text() -> None:
    cache = VectorCache(10_000)
    cache.put("mark", DOCUMENT, VECTOR)
    np.testing.assert_array_equal(cache.get("mark", DOCUMENT), VECTOR)
    assert cache.get("other", DOCUMENT) is None
    assert cache.get("mark", EncoderInput(InputKind.DOCUMENT, "text ")) is None


def test_queries_and_prompts_are_never_kept() -> None:
    cache = VectorCache(10_000)
    for kind in (InputKind.QUERY, InputKind.LISTWISE):
        cache.put("mark", EncoderInput(kind, "text"), VECTOR)
        assert cache.get("mark", EncoderInput(kind, "text")) is None
    assert cache.bytes == 0


def test_bytes_are_bounded_and_the_least_used_goes_first() -> None:
    cache = VectorCache(1000)  # two entries of 16 dimensions and their overhead
    texts = [EncoderInput(InputKind.DOCUMENT, str(n)) for n in range(3)]
    cache.put("mark", texts[0], VECTOR)
    cache.put("mark", texts[1], VECTOR)
    cache.get("mark", texts[0])
    cache.put("mark", texts[2], VECTOR)
    assert [cache.get("mark", text) is not None for text in texts] == [True, False, True]
    assert cache.bytes <= 1000


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = VectorCache(0)
    cache.put("mark", DOCUMENT, VECTOR)
    assert cache.get("mark", DOCUMENT) is None


def test_what_is_kept_is_a_copy() -> None:
    cache, vector = VectorCache(10_000), VECTOR.copy()
    cache.put("mark", DOCUMENT, vector)
    vector[:] = 0
    np.testing.assert_array_equal(cache.get("mark", DOCUMENT), VECTOR)
