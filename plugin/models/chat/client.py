"""A client of any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from plugin.models.chat.answer import DONE, Answer, first_token, not_a_completion, whole
from plugin.models.chat.request import chat_body, llm_tokenizer
from plugin.models.llm import Completion
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.llm_prompt import ChatMessage, Decoding
from plugin.ranking.prompts import Tokenizer
from plugin.ranking.retry_after import retry_after

_RETRIED = (429, 503)
_ATTEMPTS = 3
_CONNECT = 5.0
_LONGEST = 64 << 20  # bytes of an answer; of a stream, each token has an event of its own


class OpenAILLM:
    """A client of `POST {url}/chat/completions`.

    Retries only on 429 and 503, only where the server says with ``Retry-After`` when, and only as
    long as that fits into the time left. At most ``max_concurrent`` calls are under way; others
    wait for their turn within their time.
    """

    def __init__(
        self, options: LLMOptions, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        key = options.api_key.get_secret_value() if options.api_key else ""
        self._options = options
        self._tokenizer = llm_tokenizer(options)
        self._turns = asyncio.Semaphore(options.max_concurrent)
        self._http = httpx.AsyncClient(
            base_url=str(options.url).rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(None, connect=_CONNECT),  # each call has its own
            limits=httpx.Limits(max_connections=options.max_concurrent),
            transport=transport,
        )

    @property
    def name(self) -> str:
        return self._options.model

    @property
    def tokenizer(self) -> Tokenizer | None:
        return self._tokenizer

    async def close(self) -> None:
        await self._http.aclose()

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        answer, give_up = Answer(), time.monotonic() + timeout
        try:
            async with asyncio.timeout(timeout), self._turns:
                return await self._attempts(messages, answer, give_up, passages)
        except TimeoutError as error:
            if answer.begun:
                return answer.completion(messages, ended=False)
            raise DeadlineExceeded(
                f"the LLM gave no answer in {timeout:.1f} s; raise the deadline or send fewer hits"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if answer.begun:  # it broke off
                return answer.completion(messages, ended=False)
            raise ModelUnavailable(
                f"the LLM at {self._options.url} cannot be reached "
                f"({type(error).__name__}); check RANKSIDE_LLM__URL"
            ) from error
        except (ModelOutputError, ModelUnavailable):
            if answer.begun:
                return answer.completion(messages, ended=False)
            raise

    async def _attempts(
        self, messages: Sequence[ChatMessage], answer: Answer, give_up: float, passages: int
    ) -> Completion:
        body = chat_body(self._options, messages, passages)
        for attempt in range(1, _ATTEMPTS + 1):
            async with self._http.stream("POST", "chat/completions", json=body) as response:
                if response.status_code not in _RETRIED:
                    return await self._read(response, messages, answer)
                wait = retry_after(response.headers.get("Retry-After"))
            if wait is None or attempt == _ATTEMPTS or time.monotonic() + wait >= give_up:
                break
            await asyncio.sleep(wait)
        raise Overloaded(
            f"the LLM server is overloaded (HTTP {response.status_code}); try again later",
            retry_after=1.0 if wait is None else wait,
        )

    async def _read(
        self, response: httpx.Response, messages: Sequence[ChatMessage], answer: Answer
    ) -> Completion:
        if response.is_error:
            raise ModelUnavailable(
                f"the LLM server answered HTTP {response.status_code}; check the model name and "
                "the key"
            )
        if self._options.decoding is Decoding.FIRST_TOKEN:
            return first_token(await _json(response), messages)
        if "text/event-stream" not in response.headers.get("content-type", ""):
            return whole(await _json(response), messages)
        ended = await _events(response, answer)
        if not ended and not answer.begun:
            raise ModelUnavailable(
                "the LLM server ended its stream before it answered; see its log"
            )
        return answer.completion(messages, ended=ended)


async def _events(response: httpx.Response, answer: Answer) -> bool:
    """Read a stream into ``answer``; whether its last word came."""
    try:
        async for event in EventSource(_bounded(response)).aiter_sse():
            if event.data.strip() == DONE:
                return True
            if event.data:
                answer.event(event.data)
    except (SSEError, UnicodeDecodeError) as error:
        raise not_a_completion() from error
    return False


async def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(await _bounded(response).aread())
    except ValueError as error:
        raise not_a_completion() from error


def _bounded(response: httpx.Response) -> httpx.Response:
    """It, until it is longer than an answer can be."""
    headers = {"content-type": response.headers.get("content-type", "")}
    return httpx.Response(200, headers=headers, stream=_Bounded(response.aiter_bytes()))


class _Bounded(httpx.AsyncByteStream):
    """Bytes of a server that may have no end of them."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._parts:
            read += len(part)
            if read > _LONGEST:
                raise not_a_completion()
            yield part
