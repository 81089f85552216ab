"""Vectors for one call: from the cache where a document is known, else from the worker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from plugin.models.encoder import Encoder
from plugin.ranking.errors import ModelOutputError
from plugin.ranking.prompts import EncoderInput, InputKind
from plugin.sidecar.batching import Embedded
from plugin.sidecar.cache import VectorCache
from plugin.sidecar.call import Call
from plugin.sidecar.metrics import Metrics
from plugin.sidecar.worker import Worker

Matrix = npt.NDArray[np.float32]


class Encoding:
    """The worker behind a cache of document vectors."""

    def __init__(self, worker: Worker, cache: VectorCache, metrics: Metrics) -> None:
        self._worker = worker
        self._cache = cache
        self._metrics = metrics

    @property
    def encoder(self) -> Encoder:
        """The loaded encoder; raises ModelUnavailable before it is there."""
        return self._worker.encoder

    async def fresh(self, inputs: Sequence[EncoderInput], call: Call) -> Matrix:
        """Vectors of ``inputs``, float32 (len(inputs), dimensions), past the cache.

        Raises:
            ModelError, DeadlineExceeded: there are none.
        """
        dimensions = self.encoder.profile.dimensions
        if not inputs:
            return np.empty((0, dimensions), dtype=np.float32)
        embedded = await self._worker.encode(inputs, call.deadline)
        self._account(call, inputs, embedded)
        if embedded.vectors.shape[1:] != (dimensions,):
            raise ModelOutputError(
                f"the encoder answered vectors of {embedded.vectors.shape[1:]} where {dimensions} "
                "dimensions were asked; check that its model is the one named in the settings"
            )
        return embedded.vectors

    async def cached(self, inputs: Sequence[EncoderInput], call: Call) -> Matrix:
        """The same, where documents seen before are not encoded again."""
        mark = self.encoder.profile.fingerprint
        known = {place: self._cache.get(mark, one) for place, one in enumerate(inputs)}
        missing = [place for place, vector in known.items() if vector is None]
        fresh = await self.fresh([inputs[place] for place in missing], call)
        vectors = np.empty((len(inputs), self.encoder.profile.dimensions), dtype=np.float32)
        for place, vector in known.items():
            if vector is not None:
                vectors[place] = vector
        for place, row in zip(missing, fresh, strict=True):
            vectors[place] = row
            if np.isfinite(row).all():
                self._cache.put(mark, inputs[place], row)
        self._count(call, inputs, missing)
        return vectors

    def _account(self, call: Call, inputs: Sequence[EncoderInput], embedded: Embedded) -> None:
        call.add("queue", embedded.queued)
        call.add("encode", embedded.running)
        call.prompt_tokens += sum(embedded.tokens)
        call.truncated += sum(embedded.truncated)
        self._metrics.truncated.inc(sum(embedded.truncated))
        call.documents_encoded += _documents(inputs)

    def _count(self, call: Call, inputs: Sequence[EncoderInput], missing: Sequence[int]) -> None:
        documents = _documents(inputs)
        misses = _documents([inputs[place] for place in missing])
        call.documents_cached += documents - misses
        self._metrics.looked_up(documents - misses, misses, self._cache.bytes)


def _documents(inputs: Sequence[EncoderInput]) -> int:
    return sum(one.kind is InputKind.DOCUMENT for one in inputs)
