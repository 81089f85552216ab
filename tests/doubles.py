"""A cheap, deterministic encoder that fails, stalls or answers nonsense on demand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

import httpx
import numpy as np
import numpy.typing as npt

from plugin.models.encoder import Encoded
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import PLAIN, ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput

PROFILE = ModelProfile(
    name="words",
    location="tests",
    revision="1",
    dimensions=16,
    max_tokens=64,
    pooling=Pooling.MEAN,
    listwise=PLAIN,
    prompt_hits=4,
    fusion=FusionWeights(listwise=1.0, query=1.0),
    matryoshka=(8,),
)
Matrix = npt.NDArray[np.float32]
Serve = Callable[..., httpx.Client]
"""Starts a sidecar with the options given; a client of it comes back."""


class WordTokenizer:
    """A word is a token; two special tokens stand around a text."""

    def count(self, text: str) -> int:
        return len(text.split()) + 2

    def truncate(self, text: str, tokens: int) -> str:
        return " ".join(text.split()[:tokens])

    def user_turn(self, content: str) -> str:
        return content


class WordEncoder:
    """Adds up a vector for each word, so that texts with words in common are near each other.

    ``before`` is called with each batch and may raise or wait; ``spoil`` changes the vectors.
    ``batches`` lists the texts of each batch; ``closed`` says that it was given back.
    """

    def __init__(self, profile: ModelProfile = PROFILE) -> None:
        self.profile = profile
        self.tokenizer = WordTokenizer()
        self.before: Callable[[Sequence[EncoderInput]], None] = lambda _: None
        self.spoil: Callable[[Matrix], Matrix] = lambda vectors: vectors
        self.batches: list[list[str]] = []
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        self.batches.append([one.text for one in inputs])
        self.before(inputs)
        limit = self.profile.max_tokens
        words = [one.text.split() for one in inputs]
        vectors = np.stack([self._vector(some[: limit - 2]) for some in words])
        return Encoded(
            vectors=self.spoil(vectors),
            tokens=tuple(min(len(some) + 2, limit) for some in words),
            truncated=tuple(len(some) + 2 > limit for some in words),
        )

    def _vector(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        total = np.full(self.profile.dimensions, 1e-3)
        for word in words:
            digest = hashlib.blake2b(word.lower().encode(), digest_size=8).digest()
            generator = np.random.default_rng(int.from_bytes(digest))
            total += generator.standard_normal(self.profile.dimensions)
        unit: Matrix = (total / np.linalg.norm(total)).astype(np.float32)
        return unit


class Gate:
    """Holds an encoder up until it is opened; ``arrived`` says that a batch waits there."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self._opened = threading.Event()

    def __call__(self, _inputs: Sequence[EncoderInput]) -> None:
        self.arrived.set()
        assert self._opened.wait(timeout=60)

    def open(self) -> None:
        """Let everything through from now on."""
        self._opened.set()
