"""A client of the sidecar: the native calls and its embeddings."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from connectors.options import SidecarClientOptions
from plugin.ranking.errors import (
    ModelOutputError,
    Overloaded,
    RequestError,
    SettingsError,
    SidecarRejected,
    SidecarUnavailable,
)
from plugin.ranking.hits import Status
from plugin.ranking.retry_after import retry_after
from plugin.ranking.vectors import from_wire
from plugin.ranking.wire import (
    ListwiseAnswer,
    ListwiseCall,
    ModelCard,
    ModelList,
    RankAnswer,
    RankCall,
)

Answer = TypeVar("Answer", bound=BaseModel)


class SidecarClient:
    """An asynchronous context manager; one connection pool for its life.

    Calls raise SidecarUnavailable (not reached, or no answer in time), Overloaded (429),
    SidecarRejected (any other error answer) and ModelOutputError (an answer that makes no sense).
    """

    def __init__(
        self,
        options: SidecarClientOptions,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        key = options.api_key.get_secret_value() if options.api_key else ""
        self.url = options.url.rstrip("/")
        self.timeout = options.timeout
        self._embed_timeout = options.embed_timeout
        self._cards: list[ModelCard] | None = None
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=max(options.timeout, options.embed_timeout),  # of each read; ours are of calls
            verify=_tls(options.ca_file),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def listwise(self, call: ListwiseCall) -> ListwiseAnswer:
        """`POST /v1/listwise`; the vector is finite, and there is one unless passed through."""
        answer = await self._call("/v1/listwise", call, ListwiseAnswer)
        _check_listwise(answer)
        return answer

    async def rank(self, call: RankCall) -> RankAnswer:
        """`POST /v1/rank`; every hit sent is in the answer exactly once."""
        answer = await self._call("/v1/rank", call, RankAnswer)
        if sorted(item.id for item in answer.results) != sorted(hit.id for hit in call.hits):
            raise ModelOutputError(
                "the sidecar's ranking has other hits than were sent; check what runs there"
            )
        return answer

    async def embed_documents(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Document vectors, float32 (len(texts), dimensions), by `POST /v1/embeddings`.

        Raises SidecarRejected (409) where another model than ``model()``'s runs there by now.
        """
        return await self._embed(texts, "document")

    async def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Query vectors, float32 (len(texts), dimensions), by `POST /v1/embeddings`."""
        return await self._embed(texts, "query")

    async def model(self) -> ModelCard:
        """The encoder's card of `GET /v1/models`; asked once, until ``forget``."""
        card = await self._find("encoder")
        if card is None:
            raise ModelOutputError("the sidecar lists no encoder; check what runs there")
        return card

    async def llm(self) -> ModelCard | None:
        """The LLM's card, or None where InsertRank is off; asked once, until ``forget``."""
        return await self._find("llm")

    def forget(self) -> None:
        """Ask for the cards again: the sidecar was seen to run another model."""
        self._cards = None

    async def _find(self, kind: str) -> ModelCard | None:
        if self._cards is None:
            self._cards = _validated(ModelList, await self._send("GET", "/v1/models")).data
        return next((card for card in self._cards if card.kind == kind), None)

    async def ready(self) -> bool:
        """Whether the sidecar would answer now."""
        try:
            async with asyncio.timeout(self.timeout):
                return (await self._http.get("/health/ready")).is_success
        except (httpx.HTTPError, TimeoutError):
            return False

    async def _call(self, path: str, call: BaseModel, kind: type[Answer]) -> Answer:
        body = call.model_dump(mode="json", exclude_none=True)
        return _validated(kind, await self._send("POST", path, body))

    async def _embed(self, texts: Sequence[str], input_type: str) -> npt.NDArray[np.float32]:
        card = await self.model()
        body = {
            "model": card.id,
            "input": list(texts),
            "input_type": input_type,
            "encoding_format": "base64",
            "vector_fingerprint": card.fingerprint,
        }
        timeout = self._embed_timeout if input_type == "document" else self.timeout
        answer = await self._send("POST", "/v1/embeddings", body, timeout)
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = np.stack([from_wire(row["embedding"]) for row in rows])
        except (RequestError, ValueError, KeyError, TypeError) as error:
            raise ModelOutputError("the sidecar's vectors cannot be read") from error
        if vectors.shape != (len(texts), card.dimensions) or not np.isfinite(vectors).all():
            raise ModelOutputError(
                f"the sidecar gave vectors of shape {vectors.shape} for {len(texts)} texts of "
                f"{card.dimensions} dimensions, or NaN; check its model"
            )
        return vectors

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        try:
            async with asyncio.timeout(timeout or self.timeout):
                response = await self._http.request(method, path, json=body)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SidecarUnavailable(
                f"the sidecar at {self.url} did not answer in time; see its /metrics for the queue"
            ) from error
        except httpx.HTTPError as error:
            raise SidecarUnavailable(
                f"the sidecar at {self.url} cannot be reached ({type(error).__name__}); start it "
                "with `rankside serve`, or check RANKSIDE_CLIENT__URL"
            ) from error
        _raise_for_status(response)
        try:
            return response.json()
        except (ValueError, RecursionError) as error:  # the latter for what is nested too deep
            raise ModelOutputError(f"what answers at {self.url} is not a sidecar") from error


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(
            f"client.ca_file {ca_file} cannot be read as certificates: {error}; give a PEM file"
        ) from error


def _validated(kind: type[Answer], value: Any) -> Answer:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ModelOutputError(
            f"the sidecar's answer is not a {kind.__name__} ({first['loc']}: {first['msg']}); "
            "check that both sides run one version"
        ) from error


def _check_listwise(answer: ListwiseAnswer) -> None:
    try:
        vector = answer.to_vector()
    except RequestError as error:
        raise ModelOutputError("the sidecar's listwise vector cannot be read") from error
    sound = vector is None or bool(np.isfinite(vector).all() and vector.any())
    weight = answer.first_stage_weight
    if not (sound and math.isfinite(weight) and weight >= 0):
        raise ModelOutputError(
            "the sidecar's listwise vector or weight is NaN, infinite or zero; check its model"
        )
    if (vector is None) != (answer.status is Status.PASSED_THROUGH):
        raise ModelOutputError(f"the sidecar's answer is {answer.status} and contradicts itself")


def _raise_for_status(response: httpx.Response) -> None:
    if response.is_success:
        return
    message = _message(response)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        asked = retry_after(response.headers.get("Retry-After"))
        raise Overloaded(message, retry_after=1.0 if asked is None else asked)
    raise SidecarRejected(
        f"the sidecar answered HTTP {response.status_code}: {message}", status=response.status_code
    )


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return response.text[:200] or response.reason_phrase
