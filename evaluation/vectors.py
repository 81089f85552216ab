"""An encoder that remembers: vectors on disk, so that trying other weights encodes nothing twice.

One folder a model, named by fingerprint and token limit; in it, pairs of files written once and
never changed: ``<name>.npy`` (float32, (n, dimensions)) and ``<name>.keys`` (n keys of 32 hex
digits, one a line). A key is the hash of an encoder input, template applied; of a listwise prompt
also of the adapter that it goes through.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from plugin.models.encoder import Encoded, Encoder
from plugin.ranking.errors import SettingsError
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, InputKind, Tokenizer, document_input

Advance = Callable[[int], None]
"""Called with the number of inputs that are done since the last call."""

_AT_ONCE = 64
_PER_FILE = 2048
_TEXTS = 100_000


def default_folder() -> Path:
    """The user's cache directory, or ``RANKSIDE_HOME``."""
    named = os.environ.get("RANKSIDE_HOME")
    home = Path(named) if named else platformdirs.user_cache_path("rankside")
    return home / "evaluation"


class RememberingTokenizer:
    """``tokenizer``, asked once of each text: the same passages stand in prompt after prompt."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._count = lru_cache(_TEXTS)(tokenizer.count)
        self._truncate = lru_cache(_TEXTS)(tokenizer.truncate)
        self._tokenizer = tokenizer

    def count(self, text: str) -> int:
        """As the tokenizer."""
        return self._count(text)

    def truncate(self, text: str, tokens: int) -> str:
        """As the tokenizer."""
        return self._truncate(text, tokens)

    def user_turn(self, content: str) -> str:
        """As the tokenizer."""
        return self._tokenizer.user_turn(content)


class CachedEncoder:
    """``encoder`` with a memory in ``folder``.

    ``Encoded.tokens`` of a remembered input is 0: nothing was run for it.

    Raises SettingsError where the folder cannot be written.
    """

    def __init__(self, encoder: Encoder, folder: Path | None = None) -> None:
        self._encoder = encoder
        self._tokenizer = RememberingTokenizer(encoder.tokenizer)
        profile = encoder.profile
        name = f"{profile.name}-{profile.fingerprint}-{profile.max_tokens}"
        self._folder = (folder or default_folder()) / "vectors" / name
        self._rows: dict[str, npt.NDArray[np.float32]] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._load()
        except OSError as error:
            raise SettingsError(
                f"vectors cannot be kept in {self._folder} ({error.strerror}); give another folder"
            ) from error

    @property
    def encoder(self) -> Encoder:
        """What it remembers the vectors of."""
        return self._encoder

    @property
    def profile(self) -> ModelProfile:
        """The encoder's own."""
        return self._encoder.profile

    @property
    def tokenizer(self) -> Tokenizer:
        """The encoder's own, with a memory."""
        return self._tokenizer

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Vectors of ``inputs``, remembered or made now; made ones are kept in memory only."""
        keys = [self._key(input_) for input_ in inputs]
        missing = {
            key: input_ for key, input_ in zip(keys, inputs, strict=True) if self._lacks(key)
        }
        tokens: dict[str, int] = {}
        truncated: dict[str, bool] = {}
        if missing:
            made = self._encoder.encode(list(missing.values()))
            self._rows.update(zip(missing, made.vectors, strict=True))
            tokens = dict(zip(missing, made.tokens, strict=True))
            truncated = dict(zip(missing, made.truncated, strict=True))
        shape = (len(keys), self.profile.dimensions)
        return Encoded(
            vectors=np.array([self._rows[key] for key in keys], dtype=np.float32).reshape(shape),
            tokens=tuple(tokens.get(key, 0) for key in keys),
            truncated=tuple(truncated.get(key, False) for key in keys),
        )

    def close(self) -> None:
        """Close the encoder."""
        self._encoder.close()

    def remember(self, inputs: Sequence[EncoderInput], vectors: npt.NDArray[np.float32]) -> None:
        """Take vectors made elsewhere, as those of an index; they are kept in memory only.

        They must be this model's, float32 (len(inputs), dimensions).
        """
        self._rows.update(zip(map(self._key, inputs), vectors, strict=True))

    def missing(self, inputs: Iterable[EncoderInput]) -> list[EncoderInput]:
        """Those of ``inputs`` that must still be encoded, each once, longest first."""
        unknown = {self._key(input_): input_ for input_ in inputs}
        found = [input_ for key, input_ in unknown.items() if self._lacks(key)]
        return sorted(found, key=lambda input_: -len(input_.text))

    def warm(self, missing: Sequence[EncoderInput], advance: Advance = lambda _: None) -> None:
        """Encode ``missing`` and keep the vectors on disk, so that an interrupted run goes on."""
        for start in range(0, len(missing), _PER_FILE):
            part = missing[start : start + _PER_FILE]
            for first in range(0, len(part), _AT_ONCE):
                few = part[first : first + _AT_ONCE]
                self.encode(few)
                advance(len(few))
            self._keep([self._key(input_) for input_ in part])

    def _lacks(self, key: str) -> bool:
        return key not in self._rows

    def _key(self, input_: EncoderInput) -> str:
        through = self.profile.adapter if input_.kind is InputKind.LISTWISE else ""
        content = f"{input_.kind}{through}\n{input_.text}"
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keep(self, keys: list[str]) -> None:
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:24]
        vectors = np.array([self._rows[key] for key in keys], dtype=np.float32)
        # Keys come last and by a rename: a pair is either whole or not there.
        np.save(self._folder / f"{name}.npy", vectors)
        partial = self._folder / f"{name}.{os.getpid()}.partial"
        partial.write_text("\n".join(keys), encoding="ascii")
        partial.rename(self._folder / f"{name}.keys")

    def _load(self) -> None:
        for path in sorted(self._folder.glob("*.keys")):
            keys = path.read_text(encoding="ascii").split()
            vectors = np.load(path.with_suffix(".npy"))
            if vectors.shape == (len(keys), self.profile.dimensions):
                self._rows.update(zip(keys, vectors, strict=True))


class CachedEmbedder:
    """Document vectors by a `CachedEncoder`, as ingest's embedders give them.

    ``parallel`` is 1: one forward pass uses all cores, or the GPU, already.
    """

    parallel = 1

    def __init__(self, encoder: CachedEncoder) -> None:
        self._encoder = encoder
        profile = encoder.profile
        self.fingerprint = profile.fingerprint
        self.model = profile.name
        self.revision = profile.revision
        self.dimensions = profile.dimensions

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors, float32 (len(texts), dimensions); new ones are kept on disk."""
        inputs = [document_input(self._encoder.profile, text) for text in texts]
        return await asyncio.to_thread(self._embedded, inputs)

    async def close(self) -> None:
        """Close the encoder."""
        self._encoder.close()

    def _embedded(self, inputs: list[EncoderInput]) -> npt.NDArray[np.float32]:
        missing = self._encoder.missing(inputs)
        if missing:
            self._encoder.warm(missing)
        return self._encoder.encode(inputs).vectors
