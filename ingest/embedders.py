"""Who makes the document vectors: a sidecar, or an encoder in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from plugin.models.load import load_encoder, pinned, profile_for
from plugin.models.options import ModelOptions
from plugin.ranking.errors import ModelMismatch, ModelOutputError, SidecarRejected
from plugin.ranking.prompts import document_input
from plugin.ranking.wire import ModelCard

if TYPE_CHECKING:
    from plugin.models.encoder import Encoder

Matrix = npt.NDArray[np.float32]


class DocumentEmbedder(Protocol):
    """Turns document texts into vectors of one model.

    ``fingerprint`` says which vectors they can be compared with; ``parallel`` is how many calls
    at once are of use.
    """

    fingerprint: str
    model: str
    revision: str
    dimensions: int
    parallel: int

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """Vectors float32 (len(texts), dimensions), of no zero length.

        Raises:
            SidecarError: the sidecar failed.
            Overloaded: the sidecar refused the work for now.
            ModelError: the encoder failed, or is not the one it was.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


class SidecarEmbedder:
    """Vectors by `POST /v1/embeddings` of a sidecar; made by ``connect``."""

    def __init__(self, client: SidecarClient, card: ModelCard, *, parallel: int) -> None:
        self.fingerprint = card.fingerprint
        self.model = card.id
        self.revision = card.revision
        self.dimensions = card.dimensions
        self.parallel = parallel
        self._client = client

    @classmethod
    async def connect(cls, options: SidecarClientOptions, *, parallel: int = 4) -> SidecarEmbedder:
        """An embedder of the model that the sidecar serves. Raises SidecarError."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(SidecarClient(options))
            card = await client.model()  # which the client holds every later answer to
            stack.pop_all()
        return cls(client, card, parallel=parallel)

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See the protocol."""
        try:
            return _whole(await self._client.embed_documents(texts))
        except SidecarRejected as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            raise ModelMismatch(
                f"the sidecar no longer serves {self.model} with the vectors it had; start it "
                "with that model and run this again"
            ) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()


class InProcessEmbedder:
    """Vectors by an encoder in a thread of this process, loaded at its first use.

    Raises SettingsError where the settings name no usable model, and ModelUnavailable where a hub
    cannot say which commit of it it has.
    """

    parallel = 1

    def __init__(self, options: ModelOptions) -> None:
        options = pinned(options)
        self._profile = profile_for(options)
        self.fingerprint = self._profile.fingerprint
        self.model = self._profile.name
        self.revision = self._profile.revision
        self.dimensions = self._profile.dimensions
        self._options = options
        self._encoder: Encoder | None = None
        self._alone = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See the protocol."""
        async with self._alone:  # one pass at a time uses all cores, or the GPU, already
            return _whole(await asyncio.to_thread(self._encode, tuple(texts)))

    async def close(self) -> None:
        """Close the encoder and let it go."""
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = None

    def _encode(self, texts: Sequence[str]) -> Matrix:
        if self._encoder is None:
            self._encoder = load_encoder(self._options)
        inputs = [document_input(self._profile, text) for text in texts]
        return self._encoder.encode(inputs).vectors


def _whole(vectors: Matrix) -> Matrix:
    """``vectors``, unless an engine would refuse one of them."""
    norms = np.linalg.norm(vectors, axis=1)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ModelOutputError(
            "the model gave NaN, infinite or zero vectors; check it and its dtype"
        )
    return vectors
