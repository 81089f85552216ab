"""Both engines, a sidecar over a cheap encoder, and state that is the test's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions, SidecarClientOptions
from ingest.bulk import BulkOptions
from ingest.embedders import SidecarEmbedder
from ingest.run import IngestOptions
from ingest.stages import FlowOptions
from plugin.ranking.errors import EngineRejected
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import WordEncoder
from tests.serving import serving

Document = dict[str, Any]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where checkpoints and dead letters go."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "rankside" / "ingest"


@pytest.fixture(params=["opensearch", "elasticsearch"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    connected = await connect(EngineOptions(url=request.getfixturevalue(f"{request.param}_url")))
    yield connected
    await connected.close()


@pytest.fixture
async def index(engine: Engine) -> AsyncIterator[str]:
    """A name nobody uses; every index whose name begins with it is deleted in the end."""
    name = f"test-ingest-{uuid4().hex[:10]}"
    yield name
    found = await engine.request("GET", f"/{name}*")
    for one in found:
        with suppress(EngineRejected):
            await engine.request("DELETE", f"/{one}")


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def sidecar_url(encoder: WordEncoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), encoder)) as url:
        yield url


@pytest.fixture
async def embedder(sidecar_url: str) -> AsyncIterator[SidecarEmbedder]:
    connected = await SidecarEmbedder.connect(SidecarClientOptions(url=sidecar_url), parallel=2)
    yield connected
    await connected.close()


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., str]:
    """Writes documents (or lines as they are) to a JSONL file; gives its path."""

    def write(*documents: Document | str, name: str = "corpus.jsonl") -> str:
        lines = [one if isinstance(one, str) else json.dumps(one) for one in documents]
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return str(path)

    return write


def documents(count: int, start: int = 0) -> list[Document]:
    """Small documents with ids of their own."""
    words = ["shard", "query", "vector", "rescore", "window"]
    return [
        {
            "_id": f"doc-{number}",
            "title": f"Number {number}",
            "text": f"{words[number % 5]} {words[number % 3]} {number}",
            "number": number,
        }
        for number in range(start, start + count)
    ]


def options(index: str, *, patience: float = 60, **given: Any) -> IngestOptions:
    """Small batches and requests, so that many are in flight."""
    flow = FlowOptions(
        batch=given.pop("batch", 8),
        concurrency=3,
        bulk=BulkOptions(docs=given.pop("bulk_docs", 10), patience=patience),
        skip_existing=given.pop("skip_existing", False),
    )
    return IngestOptions(index=index, flow=flow, **given)


async def sources(engine: Engine, index: str) -> dict[str, Document]:
    """Every document of an index by its id, without vectors."""
    await engine.request("POST", f"/{index}/_refresh")
    body = {"size": 10_000, "_source": {"excludes": ["rankside_vector"]}}
    answer = await engine.search(index, body)
    return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}


async def with_vector(engine: Engine, index: str, field: str = "rankside_vector") -> set[str]:
    """Ids of the documents that have a vector."""
    await engine.request("POST", f"/{index}/_refresh")
    body = {"size": 10_000, "_source": False, "query": {"exists": {"field": field}}}
    return {hit["_id"] for hit in (await engine.search(index, body))["hits"]["hits"]}
