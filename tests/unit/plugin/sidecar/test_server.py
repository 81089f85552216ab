from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from plugin.ranking.errors import SettingsError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.server import DrainingServer, address, listen
from tests.doubles import Gate, WordEncoder


@contextmanager
def running(
    encoder: WordEncoder, drain_timeout: int, **options: float
) -> Iterator[tuple[DrainingServer, httpx.Client]]:
    app = create_app(SidecarOptions.model_validate(options), encoder)
    config = uvicorn.Config(
        app, log_level="critical", timeout_graceful_shutdown=drain_timeout, lifespan="on"
    )
    server = DrainingServer(config, app.state.sidecar)
    with listen(SidecarOptions(port=0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=address(listener), timeout=30) as client:
            yield server, client
        server.ask_to_end()
        thread.join(30)
        assert not thread.is_alive()


def test_draining_says_not_ready_and_goes_on_serving(encoder: WordEncoder) -> None:
    with running(encoder, 10, drain_delay=1) as (server, client):
        assert client.get("/health/ready").status_code == 200
        server.ask_to_end()
        while client.get("/health/ready").status_code != 503:
            time.sleep(0.01)
        assert client.post("/v1/embeddings", json={"input": "x"}).status_code == 200


def test_calls_in_flight_are_finished(encoder: WordEncoder, gate: Gate) -> None:
    with running(encoder, 10) as (server, client), ThreadPoolExecutor() as threads:
        encoder.before = gate
        call = threads.submit(client.post, "/v1/embeddings", json={"input": "x"})
        assert gate.arrived.wait(30)
        server.ask_to_end()
        while not server.should_exit:
            time.sleep(0.01)
        gate.open()
        assert call.result(30).status_code == 200


def test_calls_that_outlast_the_drain_are_told_to_come_back(
    encoder: WordEncoder, gate: Gate
) -> None:
    with running(encoder, 1) as (server, client), ThreadPoolExecutor() as threads:
        encoder.before = gate
        call = threads.submit(client.post, "/v1/embeddings", json={"input": "x"})
        assert gate.arrived.wait(30)
        server.ask_to_end()
        answer = call.result(30)
        gate.open()
    assert answer.status_code == 503
    assert "send the call again" in answer.json()["error"]["message"]


def test_an_address_that_cannot_be_had_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = SidecarOptions(port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match="free the port, or choose another with --port"):
            listen(options)
    with pytest.raises(SettingsError, match=r"cannot listen on 203\.0\.113\.1:"):
        listen(SidecarOptions(host="203.0.113.1", port=0))


def test_a_listening_socket_has_an_address() -> None:
    with listen(SidecarOptions(port=0)) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
