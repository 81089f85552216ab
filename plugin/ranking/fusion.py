"""Fusion of signals.

Every vector signal is a cosine with the same stored vector, so a weighted sum of them is the dot
product with one fused vector: ``w1·cos(v1,d) + w2·cos(v2,d) = (w1·v1 + w2·v2)·d``. The first-stage
score enters linearly beside it, which is what an engine's rescore can compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from plugin.ranking.hits import FusionWeights, Hit, Vector

NORM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Mean and deviation of the prompt hits' first-stage scores.

    The prompt hits, not the window, because they are all that the fast path sees: both native
    calls then give one order.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, hits: Iterable[Hit]) -> Standardiser:
        """Fit on ``hits``; a single hit or equal scores give deviation 0."""
        scores = np.array([hit.score for hit in hits], dtype=np.float64)
        if scores.size == 0:
            return cls(0.0, 0.0)
        return cls(float(scores.mean()), float(scores.std()))

    @property
    def slope(self) -> float:
        """What one unit of first-stage score is worth in deviations; 0 where scores do not vary."""
        # Deviations this small against the mean are rounding noise, not a preference.
        return 1 / self.deviation if self.deviation > NORM_TOLERANCE * max(1, abs(self.mean)) else 0

    def __call__(self, score: float) -> float:
        """``score`` in deviations from the mean."""
        return (score - self.mean) * self.slope


@dataclass(frozen=True, slots=True, eq=False)
class FusedVector:
    """The one vector that a rescore needs.

    A hit's fused score is ``scale · (vector·d + first_stage_weight · score)`` plus a constant:
    ``vector`` is float32 (dimensions,) of unit length and ``d`` a unit document vector.
    """

    vector: Vector
    scale: float
    first_stage_weight: float


def unit(vector: Vector) -> Vector:
    """``vector`` at length 1, float32; a zero vector stays zero."""
    wide = vector.astype(np.float64)  # squares of float32 values overflow float32
    norm = float(np.linalg.norm(wide))
    scaled: Vector = (wide / norm if norm else wide).astype(np.float32)
    return scaled


def rocchio(query: Vector, feedback: Iterable[Vector]) -> Vector:
    """Unit mean of the query vector and the feedback hits' document vectors."""
    mean: Vector = np.mean([unit(query), *map(unit, feedback)], axis=0)
    return unit(mean)


def fuse(
    weights: FusionWeights, vectors: Mapping[str, Vector], standardiser: Standardiser
) -> FusedVector:
    """Fuse the vector signals (name → unit vector) and the first-stage weight.

    With no vector signal at all, the vector is zero and only the first stage counts.
    """
    by_name = weights.as_dict()
    shape = next(iter(vectors.values())).shape
    total = np.zeros(shape, dtype=np.float64)
    for name, vector in vectors.items():
        total += by_name[name] * vector.astype(np.float64)
    scale = float(np.linalg.norm(total)) or 1.0
    return FusedVector(
        vector=(total / scale).astype(np.float32),
        scale=scale,
        first_stage_weight=weights.first_stage * standardiser.slope / scale,
    )
