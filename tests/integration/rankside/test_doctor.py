"""The doctor before real nodes and a real sidecar, healthy and sick."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.meta import IndexMeta, document_text, vector_hash
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from pipelines.application import apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue
from pipelines.definitions import index_body
from pipelines.options import Part, PipelineOptions
from pipelines.planning import plan, plan_removal
from plugin.models.encoder import Encoder
from rankside.checks.finding import Finding, Level, Side
from rankside.doctor import examine, worst
from rankside.settings import Settings

DOCUMENTS = [
    {"title": "Windows", "text": "Light falls through the glass."},
    {"title": "Boats", "text": "They sail."},
]
NOBODY = SidecarClientOptions(url="http://127.0.0.1:9")
INDEX_CHECKS = ("index", "index model", "vector field", "vectors", "freshness")


@pytest.fixture(params=["opensearch_url", "elasticsearch_url"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """Either engine: one after the other."""
    engine = await connect(EngineOptions(url=request.getfixturevalue(request.param)))
    yield engine
    await engine.close()


@pytest.fixture
def meta(minilm: Encoder) -> IndexMeta:
    profile = minilm.profile
    return IndexMeta(
        fingerprint=profile.fingerprint, model=profile.name, dimensions=profile.dimensions
    )


@pytest.fixture
async def index(engine: Engine, meta: IndexMeta, sidecar_url: str) -> AsyncIterator[str]:
    """An index as Rankside fills it."""
    name = f"test-doctor-{uuid4().hex[:8]}"
    await engine.request("PUT", f"/{name}", body=index_body(engine.kind, meta, replicas=0))
    texts = [document_text(document, meta.text_fields) for document in DOCUMENTS]
    async with SidecarClient(SidecarClientOptions(url=sidecar_url)) as sidecar:
        vectors = await sidecar.embed_documents(texts)
    for document, text, vector in zip(DOCUMENTS, texts, vectors, strict=True):
        made = {
            meta.vector_field: vector.tolist(),
            meta.hash_field: vector_hash(meta.fingerprint, text),
        }
        await put(engine, name, {**document, **made})
    yield name
    await engine.request("DELETE", f"/{name}")


async def put(engine: Engine, index: str, document: dict[str, Any]) -> None:
    await engine.request("POST", f"/{index}/_doc", params={"refresh": "true"}, body=document)


def settings(engine: Engine, sidecar: str, **pipelines: Any) -> Settings:
    return Settings(
        engine=EngineOptions(url=engine.url),
        client=SidecarClientOptions(url=sidecar),
        pipelines=PipelineOptions(**pipelines),
    )


async def examined(settings: Settings, index: str | None) -> dict[str, Finding]:
    return {finding.name: finding async for finding in examine(settings, index)}


async def test_a_healthy_pair_has_no_problem(engine: Engine, index: str, sidecar_url: str) -> None:
    found = await examined(settings(engine, sidecar_url, name="test-doctor-none"), index)
    assert worst(list(found.values())) is None
    good = {*INDEX_CHECKS, "engine", "version", "sidecar", "model", "fingerprint", "listwise call"}
    assert {name for name in good if found[name].level is not Level.GOOD} == set()
    assert "2 of 2 documents" in found["vectors"].sentence
    assert " ms" in found["listwise call"].sentence
    assert found["engine to sidecar"].level is Level.NOT_RUN


async def test_a_sidecar_that_is_down_is_the_sidecars_problem_alone(
    engine: Engine, index: str
) -> None:
    found = await examined(settings(engine, NOBODY.url), index)
    assert worst(list(found.values())) is Side.SIDECAR
    assert "rankside serve" in found["sidecar"].remedy
    assert {found[name].level for name in INDEX_CHECKS} == {Level.GOOD}
    for name in ("model", "fingerprint", "listwise call"):
        assert found[name].level is Level.NOT_RUN


async def test_an_index_that_is_missing(engine: Engine, sidecar_url: str) -> None:
    found = await examined(settings(engine, sidecar_url), "test-doctor-missing")
    assert worst(list(found.values())) is Side.ENGINE
    assert found["index"].sentence == "test-doctor-missing is not there"
    assert "rankside ingest" in found["index"].remedy
    assert {found[name].level for name in INDEX_CHECKS[1:]} == {Level.NOT_RUN}
    assert found["listwise call"].level is Level.GOOD


async def test_no_index_named_is_no_problem(engine: Engine, sidecar_url: str) -> None:
    found = await examined(settings(engine, sidecar_url), None)
    assert worst(list(found.values())) is None
    assert found["index"].level is Level.NOT_RUN


async def test_another_models_index(
    engine: Engine, index: str, meta: IndexMeta, sidecar_url: str
) -> None:
    other = meta.model_copy(update={"fingerprint": "0" * 16, "model": "another"})
    await engine.request("PUT", f"/{index}/_mapping", body={"_meta": other.to_mapping()})
    found = await examined(settings(engine, sidecar_url), index)
    assert worst(list(found.values())) is Side.SIDECAR
    assert "first-stage order" in found["fingerprint"].sentence
    assert "serve another" in found["fingerprint"].remedy
    assert "2 vectors are of another model" in found["freshness"].sentence


async def test_an_index_of_somebody_elses(engine: Engine, index: str, sidecar_url: str) -> None:
    await engine.request("PUT", f"/{index}/_mapping", body={"_meta": {"owner": "me"}})
    found = await examined(settings(engine, sidecar_url), index)
    assert found["index model"].level is Level.PROBLEM
    assert "rankside backfill" in found["index model"].remedy
    assert found["fingerprint"].level is Level.NOT_RUN


async def test_documents_without_vectors_and_with_changed_texts_are_counted(
    engine: Engine, index: str, meta: IndexMeta, sidecar_url: str
) -> None:
    await put(engine, index, {"text": "Written past Rankside."})
    changed = {
        "text": "The new text.",
        meta.vector_field: [1.0] + [0.0] * (meta.dimensions - 1),
        meta.hash_field: vector_hash(meta.fingerprint, "The old text."),
    }
    await put(engine, index, changed)
    found = await examined(settings(engine, sidecar_url), index)
    assert found["vectors"].sentence == "3 of 4 documents have a vector (75.0 %)"
    assert found["freshness"].sentence.startswith("1 of 3 documents looked at have changed")
    assert {found["vectors"].level, found["freshness"].level} == {Level.WARNING}
    assert worst(list(found.values())) is None


async def test_an_engine_that_is_not_there(sidecar_url: str) -> None:
    nowhere = Settings(
        engine=EngineOptions(url="http://127.0.0.1:9"),
        client=SidecarClientOptions(url=sidecar_url),
    )
    found = await examined(nowhere, "docs")
    assert worst(list(found.values())) is Side.ENGINE
    assert "rankside engine up" in found["engine"].remedy
    assert found["listwise call"].level is Level.GOOD


async def test_the_engine_is_seen_to_reach_the_sidecar(
    opensearch_url: str, meta: IndexMeta, sidecar_url: str
) -> None:
    name = f"test-doctor-{uuid4().hex[:8]}"
    engine = await connect(EngineOptions(url=opensearch_url))
    looked = settings(engine, sidecar_url, name=name)
    options = looked.pipelines
    made = catalogue(
        engine.kind, meta, options, SidecarTarget(sidecar_url, meta.model), [Part.INGEST]
    )
    try:
        (await apply(engine, await plan(engine, made))).raise_if_incomplete()
        found = await examined(looked, None)
        assert found["engine to sidecar"].level is Level.GOOD
        assert found["ingest pipeline"].level is Level.GOOD

        # The engine's own way is broken while ours works, and the other way round.
        lost = SidecarTarget(NOBODY.url, meta.model)
        other = meta.model_copy(update={"fingerprint": "0" * 16})
        broken = catalogue(engine.kind, other, options, lost, [Part.INGEST])
        (await apply(engine, await plan(engine, broken))).raise_if_incomplete()
        found = await examined(looked, None)
        assert found["engine to sidecar"].level is Level.PROBLEM
        assert "--engine-sidecar" in found["engine to sidecar"].remedy
        assert found["ingest pipeline"].level is Level.PROBLEM
        assert found["listwise call"].level is Level.GOOD
        assert worst(list(found.values())) is Side.ENGINE
    finally:
        await remove(engine, await plan_removal(engine, made))
        await engine.close()
