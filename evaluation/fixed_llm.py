"""A stand-in for an LLM server: for what is around an LLM, not for what one says.

`python -m evaluation.fixed_llm PORT SECONDS`. It streams the same order, best last, for every
prompt, after so many seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from evaluation.local_sidecar import free_port, sidecar_process

MODEL = "stand-in"
_NUMBERED = re.compile(r"^\[(\d+)\]", re.MULTILINE)


@contextmanager
def fixed_llm(seconds: float) -> Iterator[str]:
    """The address, up to and with /v1, of a stand-in that ends with the block.

    Raises:
        SidecarUnavailable: it did not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "evaluation.fixed_llm", str(port), str(seconds)]
    with sidecar_process(command, port) as url:
        yield f"{url}/v1"


async def _events(body: dict[str, Any], seconds: float) -> AsyncIterator[bytes]:
    await asyncio.sleep(seconds)
    numbers = _NUMBERED.findall(body["messages"][-1]["content"])
    text = " > ".join(f"[{number}]" for number in reversed(numbers))
    words = len(json.dumps(body["messages"]).split())
    usage = {"prompt_tokens": words, "completion_tokens": 2 * len(numbers)}
    for event in (
        {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ):
        yield b"data: " + json.dumps(event).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


async def _chat(request: Request) -> StreamingResponse:
    events = _events(await request.json(), request.app.state.seconds)
    return StreamingResponse(events, media_type="text/event-stream")


async def _ready(_request: Request) -> JSONResponse:
    return JSONResponse({})


def main() -> None:
    """Serve until the process is ended."""
    app = Starlette(
        routes=[
            Route("/health/ready", _ready),
            Route("/v1/chat/completions", _chat, methods=["POST"]),
        ]
    )
    app.state.seconds = float(sys.argv[2])
    # No log: a line a request would be part of the timing.
    port = int(sys.argv[1])
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="error")


if __name__ == "__main__":
    main()
