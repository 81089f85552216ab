"""An OpenAI-compatible LLM server that answers, streams, stalls, breaks off or lies on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse


@dataclass
class Streamed:
    """A stream of events: ``parts`` are texts, or whole deltas, or bytes as they stand.

    ``pause`` seconds lie between them; after the last the server stalls, drops the connection,
    or ends the stream with ``reason`` and ``usage``.
    """

    parts: Sequence[str | dict[str, Any] | bytes]
    pause: float = 0.0
    stalls: bool = False
    drops: bool = False
    reason: str | None = "stop"
    usage: dict[str, int] | None = field(
        default_factory=lambda: {"prompt_tokens": 21, "completion_tokens": 7}
    )
    done: bool = True


class LLMServer:
    """Answers with ``scripted`` responses first, then with ``answer``, as a stream if so asked."""

    def __init__(self) -> None:
        self.answer = "[2] > [1]"
        self.scripted: list[Response | Streamed] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.delay = 0.0
        self.under_way = 0
        self.most_under_way = 0
        self.left = 0
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self.chat)

    async def chat(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.under_way -= 1
        scripted = self.scripted.pop(0) if self.scripted else None
        if isinstance(scripted, Response):
            return scripted
        if scripted is None and not self.bodies[-1].get("stream"):
            return JSONResponse(whole(self.answer))
        streamed = scripted or Streamed([self.answer])
        return StreamingResponse(self._events(streamed), media_type="text/event-stream")

    async def _events(self, streamed: Streamed) -> AsyncIterator[bytes]:
        self.under_way += 1
        try:
            for part in streamed.parts:
                yield _event(part)
                await asyncio.sleep(streamed.pause)
            if streamed.stalls:
                await asyncio.sleep(600)
            if streamed.drops:
                raise ConnectionResetError
            if streamed.reason:
                yield _chunk({"choices": [{"delta": {}, "finish_reason": streamed.reason}]})
            if streamed.usage:
                yield _chunk({"choices": [], "usage": streamed.usage})
            if streamed.done:
                yield b"data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.left += 1  # nobody reads any more
            raise
        finally:
            self.under_way -= 1


def whole(text: str) -> dict[str, Any]:
    """A chat completion that is not a stream."""
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 21, "completion_tokens": 7},
    }


def _event(part: str | dict[str, Any] | bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    delta = {"content": part} if isinstance(part, str) else part
    return _chunk({"choices": [{"delta": delta, "finish_reason": None}]})


def _chunk(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
