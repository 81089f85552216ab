"""A stand-in for a sidecar that answers at once: for the speed of all that is around it.

`python -m evaluation.fixed_sidecar PORT DIMENSIONS FINGERPRINT [STALL]`. It serves what a search
needs of a sidecar (`/health/ready`, `/v1/models`, `/v1/listwise`), below any path, and its listwise
vector is always the same. With STALL it keeps that vector to itself for so many seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from evaluation.local_sidecar import free_port, sidecar_process
from evaluation.synthetic import unit_vectors
from plugin.ranking.hits import Status
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ListwiseAnswer, ModelCard, ModelInfo, ModelList, Timings, Usage

MODEL = "stand-in"
PROMPT_HITS = 20
LISTWISE = "/v1/listwise"

Message = MutableMapping[str, Any]
Application = Callable[
    [Mapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


@contextmanager
def fixed_sidecar(dimensions: int, fingerprint: str, stall: float = 0.0) -> Iterator[str]:
    """The address of a stand-in on 127.0.0.1 that ends with the block.

    Its listwise answers come after ``stall`` seconds.

    Raises:
        SidecarUnavailable: it did not start.
    """
    port = free_port()
    module = ["-m", "evaluation.fixed_sidecar", str(port), str(dimensions), fingerprint, str(stall)]
    with sidecar_process([sys.executable, *module], port) as url:
        yield url


def fixed_application(dimensions: int, fingerprint: str, stall: float = 0.0) -> Application:
    """An ASGI application with that one answer, ``stall`` seconds late."""
    answers = {
        "/health/ready": b"{}",
        "/v1/models": _models(dimensions, fingerprint),
        LISTWISE: _listwise(dimensions, fingerprint),
    }

    async def application(
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        path = "/" + "/".join(scope["path"].split("/")[-2:])
        body = answers.get(path)
        if path == LISTWISE:
            await asyncio.sleep(stall)
        head = {
            "type": "http.response.start",
            "status": 404 if body is None else 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body or b"")).encode()),
            ],
        }
        await send(head)
        await send({"type": "http.response.body", "body": body or b""})

    return application


def _models(dimensions: int, fingerprint: str) -> bytes:
    card = ModelCard(
        id=MODEL, fingerprint=fingerprint, dimensions=dimensions, prompt_hits=PROMPT_HITS
    )
    return _json(ModelList(data=[card]).model_dump(mode="json"))


def _listwise(dimensions: int, fingerprint: str) -> bytes:
    answer = ListwiseAnswer(
        vector=to_base64(unit_vectors(1, dimensions)[0]),
        first_stage_weight=0.0,
        status=Status.RERANKED,
        model=ModelInfo(name=MODEL, revision="", fingerprint=fingerprint),
        signals={"listwise": 1.0},
        timings_ms=Timings(),
        usage=Usage(),
    )
    return _json(answer.model_dump(mode="json"))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def main() -> None:
    """Serve until the process is ended."""
    import uvicorn

    port, dimensions, fingerprint, stall = [*sys.argv[1:], "0"][:4]
    application = fixed_application(int(dimensions), fingerprint, float(stall))
    # No lifespan: the application has none; no log: a line a request would be part of the timing.
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(port),
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=1,  # those who were to wait are not waited for
    )


if __name__ == "__main__":
    main()
