"""What an encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """An encoder's answer, in the order of the inputs.

    ``vectors`` is float32 (n, dimensions), of unit length where the profile normalises; ``tokens``
    counts what was run per input, special tokens included; ``truncated`` marks those cut.
    """

    vectors: npt.NDArray[np.float32]
    tokens: tuple[int, ...]
    truncated: tuple[bool, ...]


class Encoder(Protocol):
    """Turns encoder inputs into vectors. Synchronous: callers choose the thread.

    ``encode`` raises ModelUnavailable where the model cannot be loaded or reached, and
    ModelOutputError where its answer is unusable.
    """

    @property
    def profile(self) -> ModelProfile:
        """The model as data."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, safe to use from any thread."""
        ...

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Embed ``inputs``.

        Order, batch size and neighbours never change a float32 model's vector beyond 1e-5.
        """
        ...

    def close(self) -> None:
        """Give connections back; the encoder is not used after it."""
        ...
