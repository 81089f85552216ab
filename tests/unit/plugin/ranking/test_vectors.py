"""Vectors survive the wire."""

from __future__ import annotations

import base64
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from plugin.ranking.errors import RequestError
from plugin.ranking.hits import Vector
from plugin.ranking.vectors import from_wire, to_base64


@given(arrays(np.float32, (7,)))
def test_base64_gives_back_the_same_bits(vector: Vector) -> None:
    back = from_wire(to_base64(vector))

    assert back.dtype == np.float32
    assert back.tobytes() == vector.tobytes()


def test_base64_is_little_endian_float32() -> None:
    text = base64.b64encode(struct.pack("<3f", 1.0, -2.5, 0.1)).decode()

    assert to_base64(np.array([1.0, -2.5, 0.1], dtype=np.float32)) == text


def test_views_and_doubles_are_written_as_their_values() -> None:
    vector = np.arange(6, dtype=np.float64)[::2]

    assert from_wire(to_base64(vector)).tolist() == [0.0, 2.0, 4.0]  # type: ignore[arg-type]


def test_json_arrays_are_read_as_float32() -> None:
    vector = from_wire([0.5, 1])

    assert vector.dtype == np.float32
    assert vector.tolist() == [0.5, 1.0]


def test_what_is_read_can_be_written_to() -> None:
    vector = from_wire(to_base64(np.ones(2, dtype=np.float32)))
    vector[0] = 5

    assert vector.tolist() == [5.0, 1.0]


@pytest.mark.parametrize("text", ["not base64!", "AAA", "AAAA", "ÄÖÜ"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="base64"):
        from_wire(text)


def test_values_too_large_for_float32_are_infinite_and_no_warning() -> None:
    assert from_wire([1e39]).tolist() == [float("inf")]


@pytest.mark.parametrize("value", [["a", "b"], [[1.0], [2.0, 3.0]], [[1.0, 2.0]], [10**400]])
def test_arrays_of_anything_but_numbers_are_refused(value: list[object]) -> None:
    with pytest.raises(RequestError, match="numbers"):
        from_wire(value)  # type: ignore[arg-type]
