"""A sidecar of sockets and threads that fails on demand, for either side that calls one."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import numpy.typing as npt

from plugin.ranking.profile import ModelProfile
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import ModelCard, ModelList

GUARD = 60.0
"""Seconds after which whatever waits here gives up: no test is to hang."""

MODELS = "/v1/models"
LISTWISE = "/v1/listwise"
RANK = "/v1/rank"


@dataclass
class Call:
    """A request that came in; ``left`` is set once its caller is seen to have gone."""

    path: str
    body: Mapping[str, Any]
    handler: Handler
    left: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Head and body in one write; `Content-Length` is the body's unless ``headers`` says it."""
        handler = self.handler
        handler.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**sent, **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.wfile.flush()

    def wait(self, gate: threading.Event, seconds: float = GUARD) -> bool:
        """Hold until ``gate`` is set or the time is over; False: nobody is there any more."""
        ended, end = self.handler.server.ended, time.monotonic() + seconds
        while time.monotonic() < end and not gate.is_set() and not ended.is_set():
            readable, _, _ = select.select([self.handler.connection], [], [], 0.02)
            if readable and not self._peek():
                self.left.set()
                return False
        return not ended.is_set()

    def reset(self) -> None:
        """End the connection as a dying process does, without a goodbye."""
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.close_connection = True
        self.handler.connection.close()

    def _peek(self) -> bytes:
        with suppress(OSError):
            return self.handler.connection.recv(1, socket.MSG_PEEK)
        return b""


Behaviour = Callable[[Call], None]
"""What becomes of a call."""


class Server(ThreadingHTTPServer):
    """Threads that the end of the block waits for."""

    daemon_threads = False
    request_queue_size = 256

    def __init__(self, fake: FakeSidecar) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fake = fake
        self.ended = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who goes in the middle is what is tested."""


class Handler(BaseHTTPRequestHandler):
    """One kept connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    timeout = 0.1

    def handle_one_request(self) -> None:
        # A kept connection is looked at now and then, for the fake may have ended.
        while not select.select([self.connection], [], [], 0.1)[0]:
            if self.server.ended.is_set():
                self.close_connection = True
                return
        self.connection.settimeout(GUARD)
        super().handle_one_request()

    def do_GET(self) -> None:
        self._do({})

    def do_POST(self) -> None:
        self._do(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _do(self, body: Mapping[str, Any]) -> None:
        self.server.fake.take(Call(self.path, body, self))

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class FakeSidecar:
    """Lists ``profile`` and a language model, and does with ranking calls as ``behaviour`` says.

    ``on_models`` does the same for the list of models. ``calls`` are the ranking calls so far, and
    ``listed`` is how often the models were asked for.
    """

    def __init__(self, profile: ModelProfile) -> None:
        self.profile = profile
        self.url = ""
        self._arrived = threading.Condition()
        self.reset()

    def reset(self) -> None:
        """Behave well, and know of no call so far: for the next test that shares it."""
        self.behaviour: Behaviour = self.sound()
        self.on_models: Behaviour = self.lists()
        self.calls: list[Call] = []
        self.listed = 0

    def take(self, call: Call) -> None:
        """Note ``call`` and do with it what is to be done."""
        if call.path == MODELS:
            self.listed += 1
            self.on_models(call)
            return
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        self.behaviour(call)

    def await_calls(self, count: int) -> list[Call]:
        """The ranking calls, once there are ``count`` of them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.calls) >= count, GUARD)
            return list(self.calls)

    def sound(self, vector: npt.NDArray[np.float32] | None = None) -> Behaviour:
        """A listwise vector, or the hits in reverse."""

        def behave(call: Call) -> None:
            ids = [hit["id"] for hit in reversed(call.body["hits"])]
            body = self.ranking(ids) if call.path == RANK else self.listwise(vector)
            call.answer(200, body)

        return behave

    def lists(self, *, llm: bool = True, **changes: Any) -> Behaviour:
        """The models, the encoder's card with ``changes``."""

        def behave(call: Call) -> None:
            known = {
                "id": self.profile.name,
                "fingerprint": self.profile.fingerprint,
                "dimensions": self.profile.dimensions,
                "prompt_hits": 5,
            }
            cards = [ModelCard(**{**known, **changes})]
            if llm:
                cards.append(ModelCard(id="llm", kind="llm", prompt_hits=5))
            call.answer(200, ModelList(data=cards).model_dump_json().encode())

        return behave

    def listwise(self, vector: Any = None, **changes: Any) -> bytes:
        """An answer of `/v1/listwise`; an array is sent as base64, all else as it is."""
        if vector is None:
            vector = np.linspace(-1, 1, self.profile.dimensions, dtype=np.float32)
        own = {
            "vector": to_base64(vector) if isinstance(vector, np.ndarray) else vector,
            "first_stage_weight": 0.1,
            "signals": {"listwise": 1.0},
        }
        return self.written(**{**own, **changes})

    def ranking(self, ids: list[str], **changes: Any) -> bytes:
        """An answer of `/v1/rank`."""
        results = [
            {
                "id": id_,
                "rank": rank,
                "score": None,
                "first_stage_rank": 0,
                "first_stage_score": 0.0,
            }
            for rank, id_ in enumerate(ids, start=1)
        ]
        return self.written(results=results, strategy="insertrank", **changes)

    def written(self, **own: Any) -> bytes:
        """JSON of these fields and of those that every answer has."""
        profile = self.profile
        fingerprint = own.pop("fingerprint", profile.fingerprint)
        shared = {
            "status": "reranked",
            "model": {"name": profile.name, "revision": "", "fingerprint": fingerprint},
            "timings_ms": {},
            "usage": {},
        }
        return json.dumps({**shared, **own}).encode()  # NaN as it is: a broken server's may be


def says(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Behaviour:
    """The same answer to every call."""
    return lambda call: call.answer(status, body, headers)


def refuses(status: int, headers: Mapping[str, str] | None = None) -> Behaviour:
    """An error as the sidecar writes one."""
    error = {"type": "x", "message": "it broke", "code": status, "request_id": "1"}
    return says(status, json.dumps({"error": error}).encode(), headers)


def holds(gate: threading.Event, then: Behaviour) -> Behaviour:
    """``then`` once ``gate`` is set, if the caller is still there."""

    def behave(call: Call) -> None:
        if call.wait(gate):
            then(call)

    return behave


def stalls(then: Behaviour, seconds: float = GUARD) -> Behaviour:
    """``then``, so much later, if the caller is still there."""

    def behave(call: Call) -> None:
        if call.wait(threading.Event(), seconds):
            then(call)

    return behave


def resets(body: bytes) -> Behaviour:
    """Half of ``body``, then the connection's end."""

    def behave(call: Call) -> None:
        call.answer(200, body[: len(body) // 2], {"Content-Length": str(len(body))})
        call.reset()

    return behave


def drips(body: bytes, pause: float = 0.05) -> Behaviour:
    """Byte by byte, for longer than anybody waits."""

    def behave(call: Call) -> None:
        call.answer(200, b"", {"Content-Length": str(len(body))})
        for byte in body:
            if not call.wait(threading.Event(), pause):
                return
            call.handler.wfile.write(bytes([byte]))
            call.handler.wfile.flush()

    return behave


@contextmanager
def faking(profile: ModelProfile) -> Iterator[FakeSidecar]:
    """A fake on a free port of 127.0.0.1 until the block ends."""
    fake = FakeSidecar(profile)
    server = Server(fake)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
