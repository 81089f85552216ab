"""The doctor before real nodes and a real sidecar, healthy and sick."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
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
from pipelines.cluster import PRIVATE
from pipelines.definitions import index_body
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.planning import Wishes, plan, plan_removal
from pipelines.resources import Resource
from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from rankside.checks.finding import Finding, Level, Side
from rankside.doctor import examine, worst
from rankside.settings import Settings
from rankside.wanted import removable
from tests.serving import serving

DOCUMENTS = [
    {"title": "Windows", "text": "Light falls through the glass."},
    {"title": "Boats", "text": "They sail."},
]
NOBODY = SidecarClientOptions(url="http://127.0.0.1:9")
CALLS = ("engine embeds", "engine reranks", "engine queries")
ENGINE_CALLS = (*CALLS, "ingest pipeline")
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
    assert {found[name].level for name in CALLS} == {Level.NOT_RUN}


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


@pytest.fixture
async def opensearch(opensearch_url: str) -> AsyncIterator[Engine]:
    engine = await connect(EngineOptions(url=opensearch_url))
    yield engine
    await engine.close()


@pytest.fixture
async def stock(opensearch: Engine) -> AsyncIterator[PipelineOptions]:
    """The stock path under a name of the test's own; what has it is removed."""
    options = PipelineOptions(name=f"test-doctor-{uuid4().hex[:8]}", path=EnginePath.STOCK)
    yield options
    await remove(opensearch, await plan_removal(opensearch, await all_of(opensearch, options)))


async def all_of(engine: Engine, options: PipelineOptions) -> tuple[Resource, ...]:
    return await removable(engine, options, list(Part))


async def apply_stock(
    engine: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    made = catalogue(engine.kind, meta, options, target, [Part.INGEST, Part.SEARCH])
    planned = await plan(engine, made, Wishes(refresh_secrets=True))
    (await apply(engine, planned)).raise_if_incomplete()


async def test_the_engine_is_seen_to_reach_the_sidecar(
    opensearch: Engine, stock: PipelineOptions, meta: IndexMeta, sidecar_url: str
) -> None:
    looked = settings(opensearch, sidecar_url, name=stock.name, path=stock.path)
    await apply_stock(opensearch, meta, stock, SidecarTarget(sidecar_url, meta.model))
    found = await examined(looked, None)
    assert {found[name].level for name in ENGINE_CALLS} == {Level.GOOD}
    assert " ms" in found["engine reranks"].sentence

    # The engine's own way is broken while ours works.
    lost = SidecarTarget(NOBODY.url, meta.model)
    other = meta.model_copy(update={"fingerprint": "0" * 16})
    await apply_stock(opensearch, other, stock, lost)
    found = await examined(looked, None)
    assert {found[name].level for name in ENGINE_CALLS} == {Level.PROBLEM}
    for name in CALLS:
        assert "Connection refused" in found[name].sentence
        assert "--engine-sidecar" in found[name].remedy
    assert found["listwise call"].level is Level.GOOD
    assert worst(list(found.values())) is Side.ENGINE


async def test_a_model_that_the_sidecar_no_longer_serves_is_seen_by_the_engine(
    opensearch: Engine, stock: PipelineOptions, meta: IndexMeta, sidecar_url: str
) -> None:
    before = meta.model_copy(update={"fingerprint": "0" * 16})
    await apply_stock(opensearch, before, stock, SidecarTarget(sidecar_url, meta.model))
    found = await examined(settings(opensearch, sidecar_url, name=stock.name), None)
    for name in ("engine embeds", "engine queries"):
        assert "0" * 16 in found[name].sentence
        assert "rankside backfill" in found[name].remedy
    assert found["engine reranks"].level is Level.GOOD, "scores of texts are of no index"


async def test_a_key_that_the_sidecar_no_longer_takes_is_seen_by_the_engine(
    opensearch: Engine,
    stock: PipelineOptions,
    meta: IndexMeta,
    minilm: Encoder,
    sidecar_url: str,
    tmp_path: Path,
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("new-key-of-the-sidecar\n")
    with serving(create_app(SidecarOptions(keys_file=keys), minilm)) as url:
        old = SidecarTarget(url, meta.model, "old-key-of-the-sidecar")
        await apply_stock(opensearch, meta, stock, old)
        found = await examined(settings(opensearch, sidecar_url, name=stock.name), None)
    for name in CALLS:
        assert found[name].level is Level.PROBLEM
        assert "--refresh-secrets" in found[name].remedy


async def test_private_addresses_that_connectors_may_not_call(
    opensearch: Engine, stock: PipelineOptions, meta: IndexMeta, sidecar_url: str
) -> None:
    private: dict[str, Any] = {"persistent": {PRIVATE: "false"}}
    await opensearch.request("PUT", "/_cluster/settings", body=private)
    try:
        await apply_stock(opensearch, meta, stock, SidecarTarget(sidecar_url, meta.model))
        found = await examined(settings(opensearch, sidecar_url, name=stock.name), None)
    finally:
        private["persistent"][PRIVATE] = None
        await opensearch.request("PUT", "/_cluster/settings", body=private)
    for name in CALLS:
        assert "private ip" in found[name].sentence
        assert "--only cluster" in found[name].remedy


async def test_a_stock_path_of_which_nothing_was_applied(
    opensearch: Engine, stock: PipelineOptions, sidecar_url: str
) -> None:
    looked = settings(opensearch, sidecar_url, name=stock.name, path=stock.path)
    found = await examined(looked, None)
    for name in CALLS:
        assert found[name].level is Level.PROBLEM
        assert found[name].remedy == "`rankside apply --path stock`"


@pytest.mark.parametrize(
    ("path", "level"),
    [
        (EnginePath.CLIENT, Level.GOOD),
        (EnginePath.STOCK, Level.GOOD),
        (EnginePath.PLUGIN, Level.PROBLEM),
    ],
)
async def test_what_the_chosen_path_needs_of_a_node_without_the_plugin(
    opensearch: Engine, sidecar_url: str, path: EnginePath, level: Level
) -> None:
    found = await examined(settings(opensearch, sidecar_url, path=path), None)
    assert found["plugins"].level is level
    if level is Level.PROBLEM:
        assert "lacks the plugin rankside on any node" in found["plugins"].sentence
