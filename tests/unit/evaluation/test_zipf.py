from __future__ import annotations

from collections import Counter

import pytest

from evaluation.zipf import ZipfText


def test_texts_are_as_long_as_asked_and_the_same_every_time() -> None:
    text = ZipfText()
    assert len(text.passage(3, 40).split()) == 40
    assert ZipfText().passage(3, 40) == text.passage(3, 40)
    assert text.passage(3, 40) != text.passage(4, 40)
    assert text.passage(3, 3) != text.query(3, 3)


def test_words_are_told_apart_and_the_second_is_half_as_frequent_as_the_first() -> None:
    text = ZipfText()
    counted = Counter(text.passage(0, 400_000).split())
    (_, first), (_, second), *_ = counted.most_common(2)
    assert first / second == pytest.approx(2, rel=0.05)
    assert len(counted) > 15_000


def test_the_words_of_queries_are_in_many_texts_and_in_few_of_them() -> None:
    text = ZipfText()
    passages = [set(text.passage(number, 120).split()) for number in range(400)]
    asked = [word for number in range(50) for word in text.query(number).split()]
    shares = [sum(word in passage for passage in passages) / 400 for word in asked]
    assert len(asked) == 150
    assert max(shares) < 0.5
    assert sum(share > 0 for share in shares) > 100
