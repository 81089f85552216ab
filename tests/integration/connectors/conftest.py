from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pytest

from connectors.connect import connect
from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta, document_text, vector_hash
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.search import Searcher
from connectors.sidecar import SidecarClient
from pipelines.definitions import index_body
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.reversing_llm import ReversingLLM
from tests.serving import serving

T = TypeVar("T")

PLACES = (
    "kettle", "river", "garden", "barrel", "aquarium", "well", "steam engine", "glacier",
    "canal", "dishwasher", "fountain", "greenhouse", "harbour", "radiator", "swamp", "cistern",
)  # fmt: skip
SENTENCES = (
    "The {} needs clean water every morning, or its pipes will suffer.",
    "How to repair a {} without losing any water at all.",
    "Water in the {} turns cold at night; why more water does not help, and what does instead.",
)
WITHOUT_VECTOR = frozenset({"7", "20"})
WITHOUT_TITLE = "11"
EXTRA = {"place": {"type": "keyword"}, "number": {"type": "integer"}}


@dataclass(frozen=True)
class Stored:
    """An index of the tests and the vectors that are in it."""

    name: str
    meta: IndexMeta
    vectors: dict[str, npt.NDArray[np.float32]]


def documents() -> dict[str, dict[str, Any]]:
    """48 documents that all hold the word "water", a third of them about each thing twice."""
    found: dict[str, dict[str, Any]] = {}
    for row, sentence in enumerate(SENTENCES):
        for column, place in enumerate(PLACES):
            number = row * len(PLACES) + column
            source = {"title": f"On a {place}", "text": sentence.format(place)}
            found[str(number)] = {**source, "place": place, "number": number}
    del found[WITHOUT_TITLE]["title"]
    return found


def on(url: str, work: Callable[[Engine], Awaitable[T]]) -> T:
    """Run ``work`` in a loop of its own, for fixtures that outlive a test's."""

    async def run() -> T:
        engine = await connect(EngineOptions(url=url))
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


async def fill(engine: Engine, stored: Stored, shards: int) -> None:
    """Create the index and write every document."""
    body = index_body(engine.kind, stored.meta, shards=shards, replicas=0, extra=EXTRA)
    await engine.request("PUT", f"/{stored.name}", body=body)
    operations: list[dict[str, Any]] = []
    for id_, source in documents().items():
        text = document_text(source, stored.meta.text_fields)
        extra: dict[str, Any] = {}
        if id_ in stored.vectors:
            extra[stored.meta.vector_field] = stored.vectors[id_].tolist()
            extra[stored.meta.hash_field] = vector_hash(stored.meta.fingerprint, text)
        operations += [{"index": {"_id": id_}}, {**source, **extra}]
    outcome = await engine.bulk(stored.name, operations)
    assert [item.error for item in outcome.items if item.error] == []
    await engine.request("POST", f"/{stored.name}/_refresh")


@pytest.fixture(scope="session")
def meta(minilm: Encoder) -> IndexMeta:
    profile = minilm.profile
    return IndexMeta(
        fingerprint=profile.fingerprint, model=profile.name, dimensions=profile.dimensions
    )


@pytest.fixture(scope="session")
def vectors(minilm: Encoder, meta: IndexMeta) -> dict[str, npt.NDArray[np.float32]]:
    texts = {id_: document_text(source, meta.text_fields) for id_, source in documents().items()}
    inputs = [document_input(minilm.profile, text) for text in texts.values()]
    embedded = dict(zip(texts, minilm.encode(inputs).vectors, strict=True))
    return {id_: vector for id_, vector in embedded.items() if id_ not in WITHOUT_VECTOR}


@pytest.fixture(scope="session", params=list(EngineKind))
def engine_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def stored(
    engine_url: str, meta: IndexMeta, vectors: dict[str, npt.NDArray[np.float32]]
) -> Iterator[Stored]:
    """An index of three shards, for tests that do not write."""
    index = Stored(f"test-connectors-{uuid4().hex[:8]}", meta, vectors)
    on(engine_url, lambda engine: fill(engine, index, 3))
    yield index
    on(engine_url, lambda engine: engine.request("DELETE", f"/{index.name}"))


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[Engine]:
    opened = await connect(EngineOptions(url=engine_url))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), minilm, ReversingLLM())) as url:
        yield url


@pytest.fixture
async def sidecar(sidecar_url: str) -> AsyncIterator[SidecarClient]:
    async with SidecarClient(SidecarClientOptions(url=sidecar_url, timeout=60)) as client:
        yield client


@pytest.fixture
def searcher(engine: Engine, sidecar: SidecarClient) -> Searcher:
    return Searcher(engine, sidecar)


@pytest.fixture
async def scratch(engine: Engine) -> AsyncIterator[str]:
    """A name for an index of one test, removed after it with all that begins like it."""
    name = f"test-connectors-{uuid4().hex[:8]}"
    yield name
    for index in await engine.request("GET", f"/{name}*/_settings"):
        await engine.request("DELETE", f"/{index}")
