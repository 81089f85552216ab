"""What goes wrong on the way: refusals for now, and processes that are killed and come back."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from deploy import local
from ingest.embedders import SidecarEmbedder
from ingest.run import IngestReport, Progress, ingest
from ingest.source import open_source
from plugin.ranking.errors import EngineUnavailable
from tests.doubles import PROFILE, WordEncoder
from tests.integration.ingest.conftest import documents, options, sources, with_vector
from tests.serving import serving

ROOT = Path(__file__).parents[3]
Corpus = Callable[..., str]
SIDECAR = """
import sys, uvicorn
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import WordEncoder
encoder = WordEncoder()
def slow(_):
    import time
    time.sleep(0.01)
encoder.before = slow
uvicorn.run(create_app(SidecarOptions(), encoder), port=int(sys.argv[1]), log_level="error")
"""


class Proxy:
    """Stands before a node and refuses bulk requests as its ``script`` says, then passes all on.

    An entry is a status for the whole request, or a set of places whose items get 429 and are not
    passed on.
    """

    def __init__(self, url: str, script: Sequence[int | set[int]]) -> None:
        self.url = url
        self.script = list(script)
        self.refused = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        status, answer = await self._answer(scope, body + message.get("body", b""))
        headers = [(b"content-type", b"application/json"), (b"x-elastic-product", b"Elasticsearch")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        if not (scope["path"].endswith("/_bulk") and self.script):
            return await self._pass_on(scope, body)
        step = self.script.pop(0)
        self.refused += 1
        if isinstance(step, int):
            return step, json.dumps({"error": {"type": "busy", "reason": "made up"}}).encode()
        lines = body.splitlines(keepends=True)
        pairs = [lines[place : place + 2] for place in range(0, len(lines), 2)]
        taken = [pair for place, pair in enumerate(pairs) if place not in step]
        items: Iterator[Any] = iter(())
        if taken:
            _, answered = await self._pass_on(scope, b"".join(chain.from_iterable(taken)))
            items = iter(json.loads(answered)["items"])
        error = {"type": "es_rejected_execution_exception", "reason": "made up"}
        busy = {"index": {"_id": "?", "status": 429, "error": error}}
        judged = [busy if place in step else next(items) for place in range(len(pairs))]
        return 200, json.dumps({"took": 1, "errors": True, "items": judged}).encode()

    async def _pass_on(self, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        kind = dict(scope["headers"]).get(b"content-type", b"application/json").decode()
        target = f"{self.url}{scope['path']}?{scope['query_string'].decode()}"
        async with httpx.AsyncClient(timeout=60) as client:
            headers = {"content-type": kind, "accept": "application/json"}
            answer = await client.request(scope["method"], target, content=body, headers=headers)
        return answer.status_code, answer.content


SCRIPTS: list[list[int | set[int]]] = [
    [429, 429],
    [503, 502, 504],
    [{0, 3, 9}, {0}],
    [set(range(10))] * 3,
    [429, {1, 2}, 503, {4}, set(range(10))],
]


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
async def test_refusals_for_now_lose_nothing_and_double_nothing(
    engine: Engine,
    index: str,
    embedder: SidecarEmbedder,
    corpus: Corpus,
    script: list[int | set[int]],
) -> None:
    proxy = Proxy(engine.url, script)
    with serving(proxy) as url:
        through = await connect(EngineOptions(url=url, kind=engine.kind, retries=0))
        source = open_source(corpus(*documents(50)))
        report = await ingest(source, through, embedder, options(index))
        await through.close()

    assert proxy.refused == len(script)
    assert (report.read, report.indexed, report.overwritten, report.rejected) == (50, 50, 0, 0)
    assert report.retried > 0
    assert len(await sources(engine, index)) == 50


async def test_an_engine_that_stays_away_ends_it_with_the_checkpoint_in_place(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, state: Path
) -> None:
    proxy = Proxy(engine.url, [503] * 1000)
    source = open_source(corpus(*documents(50)))
    with serving(proxy) as url:
        through = await connect(EngineOptions(url=url, kind=engine.kind, retries=0))
        with pytest.raises(Exception, match="503"):
            await ingest(source, through, embedder, options(index, patience=1))
        waiting = sorted(path.name for path in state.glob("*.json"))  # noqa: ASYNC240 - no disk worth a thread
        proxy.script.clear()
        report = await ingest(source, through, embedder, options(index))
        await through.close()

    assert len(waiting) == 1
    assert (report.read, report.indexed) == (50, 50)
    assert len(await sources(engine, index)) == 50


async def reached(event: asyncio.Event, running: asyncio.Task[IngestReport]) -> None:
    """Wait for ``event``, or for the run to fail before it."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait([waiting, running], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        raise AssertionError(f"it ended before: {running.result()}")


async def ask_until_it_fails(engine: Engine) -> None:
    while True:
        await engine.request("GET", "/books/_count")


class SidecarProcess:
    """A sidecar of its own on a port of its own, to be killed and started again."""

    def __init__(self, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", SIDECAR, str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health/ready").is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise RuntimeError(self.log.read_text())

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def own_sidecar(tmp_path: Path) -> Iterator[SidecarProcess]:
    sidecar = SidecarProcess(tmp_path / "sidecar.log")
    sidecar.start()
    yield sidecar
    sidecar.kill()


async def test_a_sidecar_that_is_killed_and_started_again_loses_nothing(
    engine: Engine, index: str, corpus: Corpus, own_sidecar: SidecarProcess
) -> None:
    halfway = asyncio.Event()

    def watch(progress: Progress) -> None:
        if progress.settled > 400:
            halfway.set()

    embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=own_sidecar.url), parallel=2)
    source = open_source(corpus(*documents(2000)))
    running = asyncio.create_task(ingest(source, engine, embedder, options(index), progress=watch))
    await reached(halfway, running)
    own_sidecar.kill()
    assert not running.done()
    await asyncio.to_thread(own_sidecar.start)
    report: IngestReport = await running
    await embedder.close()

    assert (report.read, report.indexed, report.embedded, report.rejected) == (2000, 2000, 2000, 0)
    assert report.retried > 0
    assert len(await with_vector(engine, index)) == 2000


@pytest.fixture(params=["opensearch", "elasticsearch"])
async def own_node(request: pytest.FixtureRequest) -> AsyncIterator[local.RunningNode]:
    """A node of the test's own, to be stopped."""
    instance = f"ingest-{uuid4().hex[:6]}"
    with ExitStack() as stack:
        node = await asyncio.to_thread(local.up, request.param, instance=instance, heap="512m")
        stack.callback(shutil.rmtree, node.home)
        stack.callback(local.down, request.param, instance)
        yield node


async def test_an_engine_that_is_killed_and_started_again_loses_nothing(
    own_node: local.RunningNode, embedder: SidecarEmbedder, corpus: Corpus, encoder: WordEncoder
) -> None:
    halfway = asyncio.Event()

    def watch(progress: Progress) -> None:
        if progress.settled > 300:
            halfway.set()

    encoder.before = lambda _: time.sleep(0.02)
    engine = await connect(EngineOptions(url=own_node.url))
    source = open_source(corpus(*documents(1500)))
    running = asyncio.create_task(
        ingest(source, engine, embedder, options("books", patience=300), progress=watch)
    )
    await reached(halfway, running)
    os.kill(own_node.pid, signal.SIGKILL)
    with pytest.raises(EngineUnavailable):
        await ask_until_it_fails(engine)
    assert not running.done()
    again = await asyncio.to_thread(
        local.up, own_node.engine, instance=own_node.home.name, heap="512m"
    )
    assert again.url == own_node.url
    report = await running

    assert (report.read, report.indexed, report.rejected) == (1500, 1500, 0)
    assert report.retried > 0
    found = await sources(engine, "books")
    assert set(found) == {f"doc-{number}" for number in range(1500)}
    assert all(one["rankside_hash"].startswith(PROFILE.fingerprint) for one in found.values())
    await engine.close()
