"""LLM clients: any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import httpx

from plugin.models.options import LLMOptions
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.insertrank import ChatMessage
from plugin.ranking.retry_after import retry_after

_RETRIED = (429, 503)
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Completion:
    """An LLM's answer and what it cost."""

    text: str
    prompt_tokens: int
    completion_tokens: int


class LLM(Protocol):
    """Answers chat turns. Raises ModelError, Overloaded or DeadlineExceeded, nothing else."""

    @property
    def name(self) -> str:
        """The model's name as the server knows it."""
        ...

    async def complete(self, messages: Sequence[ChatMessage], *, timeout: float) -> Completion:
        """Answer within ``timeout`` seconds, retries included."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


class OpenAILLM:
    """A client of `POST {url}/chat/completions`.

    Retries only on 429 and 503, as long as ``Retry-After`` fits into the time left.
    """

    def __init__(
        self, options: LLMOptions, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        key = options.api_key.get_secret_value() if options.api_key else ""
        self._options = options
        self._http = httpx.AsyncClient(
            base_url=str(options.url).rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            transport=transport,
        )

    @property
    def name(self) -> str:
        return self._options.model

    async def close(self) -> None:
        await self._http.aclose()

    async def complete(self, messages: Sequence[ChatMessage], *, timeout: float) -> Completion:
        try:
            async with asyncio.timeout(timeout):
                response = await self._post(messages)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the LLM gave no answer in {timeout:.1f} s; raise the deadline or send fewer hits"
            ) from error
        return _completion(response)

    async def _post(self, messages: Sequence[ChatMessage]) -> httpx.Response:
        body = {
            "model": self._options.model,
            "messages": [asdict(message) for message in messages],
            "temperature": self._options.temperature,
            "max_tokens": self._options.max_tokens,
        }
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = await self._http.post("chat/completions", json=body, timeout=None)
            except httpx.HTTPError as error:
                raise ModelUnavailable(
                    f"the LLM at {self._options.url} cannot be reached "
                    f"({type(error).__name__}); check RANKSIDE_LLM__URL"
                ) from error
            if response.status_code not in _RETRIED:
                break
            if attempt < _ATTEMPTS:
                await asyncio.sleep(_wait(response))
        _raise_for_status(response)
        return response


def load_llm(options: LLMOptions) -> LLM | None:
    """The LLM of the settings; None where no address is set."""
    return OpenAILLM(options) if options.url else None


def _wait(response: httpx.Response) -> float:
    """Seconds until another attempt; 1 where the server does not say."""
    asked = retry_after(response.headers.get("Retry-After"))
    return 1.0 if asked is None else asked


def _raise_for_status(response: httpx.Response) -> None:
    if response.status_code in _RETRIED:
        raise Overloaded(
            f"the LLM server is overloaded (HTTP {response.status_code}); try again later",
            retry_after=_wait(response),
        )
    if response.is_error:
        raise ModelUnavailable(
            f"the LLM server answered HTTP {response.status_code}; check the model name and the key"
        )


def _completion(response: httpx.Response) -> Completion:
    try:
        body: dict[str, Any] = response.json()
        text = body["choices"][0]["message"]["content"] or ""
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelOutputError(
            "the LLM server's answer is not a chat completion; check that the address ends in /v1"
        ) from error
    usage = body.get("usage") or {}
    return Completion(
        text, int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    )
