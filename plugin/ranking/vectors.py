"""Vectors on the wire: base64 of little-endian float32, or a JSON array."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np

from plugin.ranking.errors import RequestError
from plugin.ranking.hits import Vector

_LITTLE_ENDIAN = np.dtype("<f4")


def to_base64(vector: Vector) -> str:
    """``vector`` (float32, (dimensions,)) as base64 of little-endian float32."""
    return base64.b64encode(np.ascontiguousarray(vector, dtype=_LITTLE_ENDIAN).tobytes()).decode()


def from_wire(value: str | Sequence[float]) -> Vector:
    """Read a vector in either form, as float32 (dimensions,).

    Values too large for float32 become infinite, as they would have been stored.

    Raises:
        RequestError: the text is not base64 of float32 values, or the array is not one of numbers.
    """
    if not isinstance(value, str):
        return _from_numbers(value)
    try:
        raw = base64.b64decode(value, validate=True)
        return np.frombuffer(raw, dtype=_LITTLE_ENDIAN).astype(np.float32)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            "a vector is not base64 of little-endian float32; send that or a JSON array"
        ) from error


def _from_numbers(value: Sequence[float]) -> Vector:
    try:
        with np.errstate(over="ignore"):
            vector: Vector = np.asarray(value, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise RequestError(
            "a vector's array holds something else than numbers; send floats"
        ) from error
    if vector.ndim != 1:
        raise RequestError("a vector is not one array of numbers; send [0.1, 0.2, …]")
    return vector
