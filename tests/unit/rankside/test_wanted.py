from __future__ import annotations

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from connectors.options import SidecarClientOptions
from pipelines.options import EnginePath, Part, PipelineOptions
from plugin.models import registry
from plugin.ranking.errors import EngineRejected, SettingsError, SidecarUnavailable, UsageError
from plugin.ranking.wire import ModelCard, ModelList
from rankside.settings import Settings
from rankside.wanted import ModelChoice, index_meta, removable, sidecar_target, wanted
from tests.serving import serving
from tests.unit.pipelines.memory import MemoryEngine

NOWHERE = SidecarClientOptions(url="http://127.0.0.1:9")
CARD = ModelCard(id="served", revision="r", fingerprint="f00d", dimensions=8)


@pytest.fixture
def settings() -> Settings:
    return Settings(client=NOWHERE, pipelines=PipelineOptions(text_fields=("body",)))


async def test_a_registered_model_needs_no_sidecar(settings: Settings) -> None:
    profile = registry.get("all-minilm-l6-v2")
    assert await index_meta(settings, ModelChoice("all-minilm-l6-v2")) == IndexMeta(
        fingerprint=profile.fingerprint,
        model="all-minilm-l6-v2",
        revision=profile.revision,
        dimensions=384,
        text_fields=("body",),
    )


async def test_a_model_of_ones_own_is_described_in_full(settings: Settings) -> None:
    meta = await index_meta(settings, ModelChoice("mine", 16, "abcd"))
    assert (meta.model, meta.dimensions, meta.fingerprint) == ("mine", 16, "abcd")
    with pytest.raises(SettingsError, match="--fingerprint needs --dimensions"):
        await index_meta(settings, ModelChoice("mine", None, "abcd"))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ModelChoice("nobody"), "nobody"),
        (ModelChoice("e2rank-0.6b"), r"set model\.revision"),
        (ModelChoice("all-minilm-l6-v2", 100), "has vectors of 384 dimensions, not 100"),
    ],
)
async def test_a_model_that_is_not_is_refused(
    settings: Settings, choice: ModelChoice, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        await index_meta(settings, choice)


async def test_without_a_name_the_sidecar_must_be_there(settings: Settings) -> None:
    with pytest.raises(SidecarUnavailable, match="rankside serve"):
        await index_meta(settings, ModelChoice())


async def test_the_sidecar_says_what_it_serves_and_nothing_may_contradict_it() -> None:
    sidecar = FastAPI()

    @sidecar.get("/v1/models")
    def models() -> ModelList:
        return ModelList(data=[CARD])

    with serving(sidecar) as url:
        settings = Settings(client=SidecarClientOptions(url=url))
        meta = await index_meta(settings, ModelChoice())
        assert (meta.model, meta.fingerprint, meta.dimensions) == ("served", "f00d", 8)
        assert await index_meta(settings, ModelChoice(dimensions=8)) == meta
        for choice in (ModelChoice(dimensions=9), ModelChoice(fingerprint="beef")):
            with pytest.raises(SettingsError, match="is not what the sidecar serves"):
                await index_meta(settings, choice)


def test_the_engine_may_know_the_sidecar_by_another_address() -> None:
    client = SidecarClientOptions(url="http://localhost:8080", api_key=SecretStr("a-key"))
    near = sidecar_target(PipelineOptions(), client, "m")
    far = sidecar_target(PipelineOptions(engine_sidecar="http://sidecar:8080"), client, "m")
    assert (near.url, near.api_key) == ("http://localhost:8080", "a-key")
    assert far.url == "http://sidecar:8080"


async def test_only_the_template_keeps_the_pipeline_that_is_there(settings: Settings) -> None:
    engine = MemoryEngine()
    everything = settings.model_copy(update={"pipelines": PipelineOptions(path=EnginePath.STOCK)})
    choice = ModelChoice("all-minilm-l6-v2")

    async def default_pipeline(which: Settings) -> object:
        (template,) = await wanted(which, engine, [Part.TEMPLATE], choice)
        return template.desired["template"]["settings"]["index"].get("default_pipeline")

    assert await default_pipeline(everything) is None
    engine.kept["/_ingest/pipeline/rankside-embed"] = {"processors": []}
    assert await default_pipeline(everything) == "rankside-embed"
    assert await default_pipeline(settings) is None


async def test_removal_asks_no_sidecar_and_skips_what_the_engine_cannot_have() -> None:
    engine = MemoryEngine()
    gone = EngineRejected("no handler found for uri [/x] and method [GET]", status=400)
    engine.failures["GET", "/_inference/_all"] = gone
    resources = await removable(engine, PipelineOptions(), list(Part))
    # The plugin needs no inference API for its pipeline.
    assert {resource.kind for resource in resources} == {"ingest pipeline", "index template"}


async def test_what_was_made_can_go_when_the_licence_has_run_out() -> None:
    engine = MemoryEngine()
    engine.answers["GET", "/_inference/_all"] = {"endpoints": []}
    engine.answers["GET", "/_license"] = {"license": {"type": "basic"}}
    resources = await removable(engine, PipelineOptions(), list(Part))
    assert {resource.part for resource in resources} == {Part.TEMPLATE, Part.INGEST, Part.SEARCH}


async def test_removal_finds_the_pipelines_of_a_cluster_without_ml_commons() -> None:
    engine = MemoryEngine()
    engine.kind = EngineKind.OPENSEARCH
    gone = EngineRejected("no handler found for uri [/x] and method [GET]", status=400)
    engine.failures["GET", "/_plugins/_ml/connectors/_search"] = gone
    resources = await removable(engine, PipelineOptions(), list(Part))
    assert {resource.kind for resource in resources} == {
        "ingest pipeline",
        "search pipeline",
        "index template",
    }


async def test_removal_finds_all_of_either_path_whatever_the_settings_say() -> None:
    engine = MemoryEngine()
    engine.kind = EngineKind.OPENSEARCH
    engine.answers["GET", "/_plugins/_ml/connectors/_search"] = {}
    for path in EnginePath:
        resources = await removable(engine, PipelineOptions(path=path), list(Part))
        assert len(resources) == 10
        assert "cluster settings" not in {resource.kind for resource in resources}


async def test_the_clusters_settings_come_first(settings: Settings) -> None:
    engine = MemoryEngine()
    engine.kind = EngineKind.OPENSEARCH
    held = {"plugins.ml_commons.connector.private_ip_enabled": "false"}
    engine.answers["GET", "/_cluster/settings"] = {"defaults": held}
    stock = settings.model_copy(update={"pipelines": PipelineOptions(path=EnginePath.STOCK)})
    made = await wanted(stock, engine, list(Part), ModelChoice("all-minilm-l6-v2"))
    assert [one.kind for one in made][:2] == ["cluster settings", "ml-commons connector"]


async def test_a_part_of_another_path_is_refused_before_anybody_is_asked(
    settings: Settings,
) -> None:
    engine = MemoryEngine()
    with pytest.raises(UsageError, match="--path client has no ingest part"):
        await wanted(settings, engine, [Part.INGEST], ModelChoice())
    assert engine.calls == []
