"""The request edge: ids, the access line, metrics, body limits, clients that go away.

Pure ASGI, so that nothing is buffered; the second and last place where any exception is caught.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugin.ranking.errors import RequestTooLarge
from plugin.sidecar import record
from plugin.sidecar.errors import CLIENT_CLOSED, answer, answer_for
from plugin.sidecar.metrics import Metrics

logger = logging.getLogger("rankside.access")
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
_NO_ROUTE = "other"


class Edge:
    """Gives each request an id and one log line, counts it, and answers what nobody caught."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        exchange = _Exchange(scope, receive, send)
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:  # the drain's time is up
            await exchange.refuse(
                503, "model_unavailable", "the sidecar is going away; send the call again"
            )
        except Exception:
            fields = {"request_id": exchange.noted.id}
            logger.exception("a defect; please report it", extra={"fields": fields})
            await exchange.refuse(
                500, "internal_error", "a defect; the log has it under the request id"
            )
        finally:
            self._done(scope, exchange, time.perf_counter() - start)

    def _done(self, scope: Scope, exchange: _Exchange, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else _NO_ROUTE
        self._metrics.answered(route, exchange.status, seconds)
        level = logging.DEBUG if route in _QUIET else logging.INFO
        client = scope.get("client")
        fields = {
            "request_id": exchange.noted.id,
            "method": scope["method"],
            "path": scope["path"],
            "http_status": exchange.status,
            "ms": round(seconds * 1000, 3),
            "client": client[0] if client else None,
            **exchange.noted.fields,
        }
        logger.log(
            level, "%s %s %d", scope["method"], route, exchange.status, extra={"fields": fields}
        )


class _Exchange:
    """One request on its way through the edge, and the status of its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.noted = record.begin(scope)
        self.status = CLIENT_CLOSED  # what stays when the client goes before an answer
        self._scope = scope
        self._receive = receive
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with the record's headers on its first."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers()]
        await self._send(message)

    async def refuse(self, status: int, kind: str, message: str) -> None:
        """Answer an error, unless an answer has begun."""
        if self.status == CLIENT_CLOSED:
            refusal = answer(self.noted.id, status, kind, message)
            await refusal(self._scope, self._receive, self.send)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        named = {"x-request-id": self.noted.id, **self.noted.headers}
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in named.items()]


class BodyLimit:
    """Refuses bodies over ``limit`` bytes before they are parsed, stated length or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > self._limit:
            await answer_for(record.record_in(scope).id, self._error())(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise self._error()
            return message

        await self._app(scope, counting, send)

    def _error(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"the body is over {self._limit} bytes; send fewer or shorter texts, or raise "
            "sidecar.max_body_bytes"
        )


class CancellableRoute(APIRoute):
    """A route whose work is cancelled when its client goes away."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, raced against the client's farewell."""
        handle = super().get_route_handler()

        async def cancellable(request: Request) -> Response:
            await request.body()  # kept by the request; what is received after it is the farewell
            work = asyncio.ensure_future(handle(request))
            gone = asyncio.ensure_future(_farewell(request))
            try:
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    raise ClientDisconnect
                return work.result()
            finally:
                work.cancel()
                gone.cancel()
                await asyncio.gather(work, gone, return_exceptions=True)

        return cancellable


async def _farewell(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
