"""The remote encoder: any server that speaks OpenAI's embeddings.

Source: OpenAI's API reference, "Create embeddings". Templates, truncation and normalisation happen
here, by the profile: the server gets finished texts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from plugin.models.batching import batches
from plugin.models.encoder import Encoded
from plugin.models.estimate import EstimatingTokenizer
from plugin.models.options import ModelOptions
from plugin.ranking.errors import (
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RequestError,
    SettingsError,
)
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, InputKind, Tokenizer
from plugin.ranking.retry_after import retry_after
from plugin.ranking.vectors import from_wire

Matrix = npt.NDArray[np.float32]

_RETRIED = (429, 503)


class RemoteEncoder:
    """A client of `POST {url}/embeddings`.

    Retries only on 429 and 503, only where the server says with ``Retry-After`` when, and only
    within ``timeout``. Without ``tokenizer`` lengths are estimated (see ``EstimatingTokenizer``).

    Raises SettingsError where the profile needs a chat template and there is no tokenizer.
    """

    def __init__(
        self,
        profile: ModelProfile,
        options: ModelOptions,
        *,
        tokenizer: Tokenizer | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if tokenizer is None and profile.listwise.chat:
            raise SettingsError(
                f"{profile.name} lays its listwise prompt out as a chat turn; set model.path to a "
                "folder with its tokenizer, beside model.url"
            )
        key = options.api_key.get_secret_value() if options.api_key else ""
        self._profile = profile
        self._tokenizer: Tokenizer = tokenizer or EstimatingTokenizer()
        self._options = options
        self._http = httpx.Client(
            base_url=str(options.url).rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=options.timeout,
            transport=transport,
        )

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def tokenizer(self) -> Tokenizer:
        return self._tokenizer

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Embed ``inputs``; also raises Overloaded where the server refuses the work."""
        cut = [self._cut(input_) for input_ in inputs]
        texts = [text for text, _ in cut]
        lengths = [self._tokenizer.count(text) for text in texts]
        vectors = np.zeros((len(texts), self._profile.dimensions), dtype=np.float32)
        options = self._options
        for places in batches(lengths, options.batch_tokens, most=options.batch_inputs):
            vectors[places] = self._embed([texts[place] for place in places])
        return Encoded(vectors, tuple(lengths), tuple(truncated for _, truncated in cut))

    def _cut(self, input_: EncoderInput) -> tuple[str, bool]:
        """The text as the server gets it (end token behind it), and whether it was cut to fit."""
        end = "" if input_.kind is InputKind.LISTWISE else self._profile.end_token or ""
        room = self._profile.max_tokens - bool(end)
        if self._tokenizer.count(input_.text) <= room:
            return input_.text + end, False
        specials = self._tokenizer.count("")
        return self._tokenizer.truncate(input_.text, room - specials) + end, True

    def _embed(self, texts: list[str]) -> Matrix:
        """Vectors of one request, float32 (len(texts), dimensions)."""
        body = {
            "model": self._options.remote_name or self._profile.location,
            "input": texts,
            "encoding_format": "base64",
        }
        vectors = _vectors(self._post(body), len(texts), self._profile.dimensions)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (norms == 0).any():
            raise ModelOutputError(
                "the embeddings server answered with NaN, infinite or zero vectors; check its "
                "model and dtype"
            )
        return vectors / norms if self._profile.normalize else vectors

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        give_up = time.monotonic() + self._options.timeout
        while True:
            left = max(give_up - time.monotonic(), 0.001)
            try:
                response = self._http.post("embeddings", json=body, timeout=left)
            except httpx.TimeoutException as error:
                raise ModelUnavailable(
                    f"the embeddings server gave no answer in {self._options.timeout:g} s; raise "
                    "model.timeout or lower model.batch_inputs"
                ) from error
            except httpx.HTTPError as error:
                raise ModelUnavailable(
                    f"the embeddings server at {self._options.url} cannot be reached "
                    f"({type(error).__name__}); check model.url"
                ) from error
            wait = _wait(response) if response.status_code in _RETRIED else None
            if wait is None or time.monotonic() + wait >= give_up:
                return _checked(response)
            time.sleep(wait)


def _wait(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait; None where it does not say."""
    return retry_after(response.headers.get("Retry-After"))


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code in _RETRIED:
        raise Overloaded(
            f"the embeddings server is overloaded (HTTP {response.status_code}); try again later",
            retry_after=_wait(response) or 1.0,
        )
    if response.is_error:
        raise ModelUnavailable(
            f"the embeddings server answered HTTP {response.status_code}; check model.remote_name, "
            "model.api_key and model.max_tokens"
        )
    return response


def _vectors(response: httpx.Response, count: int, dimensions: int) -> Matrix:
    """The answer's vectors, by their index."""
    try:
        rows = {
            int(item["index"]): from_wire(item["embedding"]) for item in response.json()["data"]
        }
    except (ValueError, KeyError, TypeError, RequestError) as error:
        raise ModelOutputError(
            "the embeddings server's answer is not OpenAI's; check that model.url ends in /v1"
        ) from error
    if sorted(rows) != list(range(count)):
        raise ModelOutputError(
            f"the embeddings server answered for {len(rows)} texts where {count} were sent; check "
            "its limit and model.batch_inputs"
        )
    shapes = {row.shape for row in rows.values()}
    if shapes != {(dimensions,)}:
        raise ModelOutputError(
            f"the embeddings server's vectors have shape {sorted(shapes)} and the profile says "
            f"({dimensions},); check model.remote_name"
        )
    return np.stack([rows[place] for place in range(count)])
