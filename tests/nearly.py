"""Equality of answers whose scores come out of dot products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

RELATIVE = 1e-6


def nearly(value: Any) -> Any:
    """What equals ``value`` up to the last bits of its floats, at any depth.

    An engine sums the lanes of a vector's products with Java's ``FloatVector.reduceLanes``, whose
    order is left open: the interpreter and the compiled code differ in the last bit, so the same
    search twice on one node, or on two, may.
    """
    if isinstance(value, Mapping):
        return {key: nearly(one) for key, one in value.items()}
    if isinstance(value, list):
        return [nearly(one) for one in value]
    return pytest.approx(value, rel=RELATIVE) if isinstance(value, float) else value
