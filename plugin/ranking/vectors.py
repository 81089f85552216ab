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

    Raises:
        RequestError: the text is not base64 of float32 values.
    """
    if not isinstance(value, str):
        return np.asarray(value, dtype=np.float32)
    try:
        raw = base64.b64decode(value, validate=True)
        return np.frombuffer(raw, dtype=_LITTLE_ENDIAN).astype(np.float32)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            "a vector is not base64 of little-endian float32; send that or a JSON array"
        ) from error
