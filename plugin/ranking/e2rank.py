"""E2Rank: rank by the cosine between a listwise prompt's embedding and each document's own.

Source: arXiv 2510.22733. Written without I/O: ``plan`` says which texts an encoder must embed, and
the plan turns the vectors that come back into a listwise vector or into a ranking. The caller may
use any encoder, batch it with other requests, or give up at a deadline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.ranking.errors import ModelOutputError, RequestError
from plugin.ranking.fusion import FusedVector, Standardiser, fuse, rocchio, unit
from plugin.ranking.hits import (
    FusionWeights,
    Hit,
    Ranking,
    RankRequest,
    Vector,
    passed_through,
    ranked_by_score,
)
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import (
    EncoderInput,
    ListwisePrompt,
    Tokenizer,
    document_input,
    listwise_prompt,
    query_input,
)

LISTWISE, QUERY, ROCCHIO = "listwise", "query", "rocchio"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What must be embedded for one request, and what becomes of it.

    ``inputs`` go to the encoder in this order; ``vectors`` below means its answer, float32
    (len(inputs), dimensions). ``prompt`` is None where the listwise signal has no weight.
    ``usable`` holds the unit stored vectors by hit id, ``stale`` counts vectors left unused because
    of another fingerprint, ``broken`` those with a wrong dimension, a zero norm or a NaN.
    """

    request: RankRequest
    profile: ModelProfile
    weights: FusionWeights
    inputs: tuple[EncoderInput, ...]
    prompt: ListwisePrompt | None
    prompt_hits: tuple[Hit, ...]
    encoded_hits: tuple[Hit, ...]
    usable: Mapping[str, Vector]
    stale: int
    broken: int

    def listwise_vector(self, vectors: npt.NDArray[np.float32]) -> FusedVector:
        """The fused vector for an engine's rescore.

        Raises:
            ModelOutputError: the encoder's answer has a wrong shape, NaN, or zero vectors.
        """
        checked = self._checked(vectors)
        signals = self._signals(checked, self._documents(checked))
        return fuse(self.weights, signals, self._standardiser)

    def ranking(self, vectors: npt.NDArray[np.float32]) -> Ranking:
        """The window in order of fused score, with every signal by name.

        Raises:
            ModelOutputError: the encoder's answer has a wrong shape, NaN, or zero vectors.
        """
        if not self.request.hits:
            return passed_through(self.request, "no_hits")
        checked = self._checked(vectors)
        documents = self._documents(checked)
        signals = self._signals(checked, documents)
        table = {
            hit.id: self._signal_values(hit, documents[hit.id], signals)
            for hit in self.request.windowed
            if hit.id in documents
        }
        weights = self.weights.as_dict()
        scores = {
            id_: sum(weights[name] * value for name, value in values.items())
            for id_, values in table.items()
        }
        missing = len(self.request.windowed) - len(scores)
        reason = f"no_vector_and_no_text:{missing}" if missing else None
        return ranked_by_score(self.request, scores, signals=table, reason=reason)

    @property
    def _standardiser(self) -> Standardiser:
        return Standardiser.of(self.prompt_hits)

    def _documents(self, vectors: npt.NDArray[np.float32]) -> dict[str, Vector]:
        """Unit document vectors by hit id: the stored ones, and those just encoded."""
        offset = len(self.inputs) - len(self.encoded_hits)
        encoded = zip(self.encoded_hits, vectors[offset:], strict=True)
        return {**self.usable, **{hit.id: vector for hit, vector in encoded}}

    def _signals(
        self, vectors: npt.NDArray[np.float32], documents: Mapping[str, Vector]
    ) -> dict[str, Vector]:
        """Unit vectors of the signals that carry weight."""
        rows = iter(vectors)
        signals: dict[str, Vector] = {}
        if self.prompt is not None:
            signals[LISTWISE] = next(rows)
        if self.weights.query or self.weights.rocchio:
            signals[QUERY] = next(rows)
        if self.weights.rocchio:
            feedback = self.prompt_hits[: self.profile.rocchio_hits]
            known = [documents[hit.id] for hit in feedback if hit.id in documents]
            signals[ROCCHIO] = rocchio(signals[QUERY], known)
        return signals or {LISTWISE: np.zeros(self.profile.dimensions, dtype=np.float32)}

    def _signal_values(
        self, hit: Hit, document: Vector, signals: Mapping[str, Vector]
    ) -> dict[str, float]:
        values = {name: float(vector @ document) for name, vector in signals.items()}
        if self.weights.first_stage:
            values["first_stage"] = self._standardiser(hit.score)
        return values

    def _checked(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        expected = (len(self.inputs), self.profile.dimensions)
        if vectors.shape != expected:
            raise ModelOutputError(
                f"the encoder answered with shape {vectors.shape} where {expected} was asked; "
                "check that its model is the one named in the settings"
            )
        norms = np.linalg.norm(vectors, axis=1)
        if not (np.isfinite(norms).all() and (norms > 0).all()):
            raise ModelOutputError(
                "the encoder answered with NaN or zero vectors; check its dtype and its weights"
            )
        unit_rows: npt.NDArray[np.float32] = (vectors / norms[:, None]).astype(np.float32)
        return unit_rows


def plan(
    request: RankRequest, profile: ModelProfile, tokenizer: Tokenizer, *, documents: bool = True
) -> Plan:
    """Say what must be embedded for ``request``.

    With ``documents`` False (the fast path: the engine holds the vectors) no document is encoded.

    Raises:
        RequestError: a prompt hit has no text although the listwise signal needs it, or hits carry
            vectors without a fingerprint.
        RequestTooLarge: the query alone exceeds the model's positions.
    """
    weights = request.fusion or profile.fusion
    head = request.windowed[: request.prompt_hits or profile.prompt_hits]
    usable, stale, broken = _usable_vectors(request, profile)
    prompt = _prompt(request, profile, tokenizer, head) if weights.listwise and head else None
    inputs = [prompt.input] if prompt else []
    if weights.query or weights.rocchio:
        inputs.append(query_input(profile, request.query))
    encoded = tuple(
        hit for hit in request.windowed if documents and hit.id not in usable and hit.text
    )
    inputs += [document_input(profile, hit.text or "") for hit in encoded]
    return Plan(
        request, profile, weights, tuple(inputs), prompt, head, encoded, usable, stale, broken
    )


def _prompt(
    request: RankRequest, profile: ModelProfile, tokenizer: Tokenizer, head: Sequence[Hit]
) -> ListwisePrompt | None:
    passages = [hit.text for hit in head if hit.text]
    if not passages:
        raise RequestError("no prompt hit has text; send text with the first hits of the window")
    return listwise_prompt(profile, request.query, passages, tokenizer, request.instruction)


def _usable_vectors(
    request: RankRequest, profile: ModelProfile
) -> tuple[dict[str, Vector], int, int]:
    """Unit stored vectors by id, and how many were stale or broken."""
    carriers = [hit for hit in request.windowed if hit.vector is not None]
    if not carriers:
        return {}, 0, 0
    if request.vector_fingerprint is None:
        raise RequestError(
            "hits carry vectors but no vector_fingerprint; send the one in the index's "
            "_meta.rankside, or leave the vectors out"
        )
    if request.vector_fingerprint != profile.fingerprint:
        return {}, len(carriers), 0
    usable = {
        hit.id: unit(hit.vector)
        for hit in carriers
        if hit.vector is not None and _sound(hit.vector, profile.dimensions)
    }
    return usable, 0, len(carriers) - len(usable)


def _sound(vector: Vector, dimensions: int) -> bool:
    return vector.shape == (dimensions,) and bool(np.isfinite(vector).all()) and bool(vector.any())
