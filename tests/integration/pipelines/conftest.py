from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from uuid import uuid4

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.meta import IndexMeta
from connectors.options import EngineOptions
from pipelines.application import remove
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.planning import Wishes, plan, plan_removal
from plugin.models.encoder import Encoder
from plugin.ranking.errors import EngineRejected
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving


@pytest.fixture(scope="session")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), minilm)) as url:
        yield url


@pytest.fixture
def meta(minilm: Encoder) -> IndexMeta:
    profile = minilm.profile
    return IndexMeta(
        fingerprint=profile.fingerprint,
        model=profile.name,
        revision=profile.revision,
        dimensions=profile.dimensions,
    )


@pytest.fixture
def target(sidecar_url: str, meta: IndexMeta) -> SidecarTarget:
    return SidecarTarget(sidecar_url, meta.model)


@pytest.fixture
async def opensearch(opensearch_url: str) -> AsyncIterator[Engine]:
    engine = await connect(EngineOptions(url=opensearch_url))
    yield engine
    await engine.close()


@pytest.fixture
async def elasticsearch(elasticsearch_url: str) -> AsyncIterator[Engine]:
    engine = await connect(EngineOptions(url=elasticsearch_url))
    yield engine
    await engine.close()


@pytest.fixture
def options() -> PipelineOptions:
    """Names of this test alone, for everything the engine can hold."""
    name = f"test-pipelines-{uuid4().hex[:8]}"
    return PipelineOptions(
        name=name, index_patterns=(f"{name}-*",), replicas=0, path=EnginePath.STOCK
    )


async def clean(engine: Engine, meta: IndexMeta, options: PipelineOptions) -> None:
    """Remove the test's indices, then all that has its names, whoever made it."""
    with suppress(EngineRejected):
        names = await engine.request("GET", f"/{options.name}-*/_settings")
        for name in names:
            await engine.request("DELETE", f"/{name}")
    parts = [Part.TEMPLATE] if engine.kind == "elasticsearch" else list(Part)
    resources = catalogue(
        engine.kind, meta, options, SidecarTarget("http://127.0.0.1:9", "m"), parts
    )
    adopted = await plan(engine, resources, Wishes(adopt=True))
    for change in adopted.changes:
        if change.found is not None and not change.found.owned:
            await change.resource.delete(engine, change.found)
    await remove(engine, await plan_removal(engine, resources))


@pytest.fixture
async def cleaned_opensearch(
    opensearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> AsyncIterator[Engine]:
    yield opensearch
    await clean(opensearch, meta, options)


@pytest.fixture
async def cleaned_elasticsearch(
    elasticsearch: Engine, meta: IndexMeta, options: PipelineOptions
) -> AsyncIterator[Engine]:
    yield elasticsearch
    await clean(elasticsearch, meta, options)
