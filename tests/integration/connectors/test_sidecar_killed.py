"""The sidecar's process is killed while a search waits for its answer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.engine import Engine, EngineKind
from connectors.options import SidecarClientOptions
from connectors.search import OnFailure, Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from evaluation.local_sidecar import free_port, serve_command, wait_until_ready
from plugin.ranking.errors import SidecarUnavailable
from plugin.ranking.hits import Status
from tests.integration.connectors.conftest import Stored

BODY = {
    "query": {"match": {"text": "why does cold water damage pipes"}},
    "aggs": {"places": {"terms": {"field": "place"}}},
}


class Watched(httpx.AsyncHTTPTransport):
    """Says when a ranking call is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/listwise":
            self.asked.set()
        return await super().handle_async_request(request)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(serve_command(port), stdout=log, stderr=log) as made,
    ):
        wait_until_ready(url, tmp_path / "log", runs=lambda: made.poll() is None)
        yield made, url
        made.kill()


@pytest.mark.parametrize("engine_url", [EngineKind.OPENSEARCH], indirect=True)
async def test_a_sidecar_killed_in_the_middle_of_a_search_leaves_first_stage_order_and_says_so(
    engine: Engine, stored: Stored, process: tuple[subprocess.Popen[bytes], str]
) -> None:
    """Stopped first, so that the call is surely in flight when the process is killed."""
    running, url = process
    plain = await engine.search(stored.name, BODY)
    transport = Watched()
    options = SidecarClientOptions(url=url, timeout=60)
    async with SidecarClient(options, transport=transport) as client:
        searcher = Searcher(engine, client)
        before = await searcher.search(stored.name, BODY)
        assert before.body["hits"]["hits"] != plain["hits"]["hits"]
        transport.asked.clear()
        os.kill(running.pid, signal.SIGSTOP)
        search = asyncio.create_task(searcher.search(stored.name, BODY))
        await transport.asked.wait()
        await asyncio.sleep(0.2)  # the request leaves; none is answered any more
        assert not search.done()
        running.kill()
        result = await search
        assert (result.status, result.reason) == (Status.PASSED_THROUGH, "sidecar_unavailable")
        assert "rankside serve" in (result.detail or "")
        assert result.body["hits"] == plain["hits"]
        assert result.body["aggregations"] == plain["aggregations"]
        with pytest.raises(SidecarUnavailable):
            await searcher.search(stored.name, BODY, SearchOptions(on_failure=OnFailure.FAIL))
