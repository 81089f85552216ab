from __future__ import annotations

import itertools
import json

import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue, has_ingest_pipeline
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.resources import Resource, key, ref, resolve
from plugin.ranking.errors import UsageError
from tests.unit.pipelines.memory import MemoryEngine

KINDS = list(EngineKind)
PARTS = [Part.TEMPLATE, Part.INGEST, Part.SEARCH]
SUBSETS = [subset for size in range(1, 4) for subset in itertools.combinations(PARTS, size)]
STOCK = PipelineOptions(path=EnginePath.STOCK)
PLUGIN = PipelineOptions(path=EnginePath.PLUGIN)
# Where there is something to make on each path but that of the client.
MADE = [(kind, STOCK) for kind in KINDS] + [(EngineKind.OPENSEARCH, PLUGIN)]


def default_pipeline(resources: tuple[Resource, ...]) -> str | None:
    (template,) = [one for one in resources if one.part is Part.TEMPLATE]
    found: str | None = template.desired["template"]["settings"]["index"].get("default_pipeline")
    return found


@pytest.mark.parametrize("parts", SUBSETS, ids=str)
@pytest.mark.parametrize(("kind", "options"), MADE)
def test_a_selection_holds_its_parts_each_after_what_it_needs(
    kind: EngineKind,
    options: PipelineOptions,
    parts: tuple[Part, ...],
    meta: IndexMeta,
    target: SidecarTarget,
) -> None:
    resources = catalogue(kind, meta, options, target, parts)
    assert {resource.part for resource in resources} == set(parts)
    made: set[str] = set()
    for resource in resources:
        assert made.issuperset(resource.needs)
        made.add(key(resource))
    assert len(made) == len(resources)


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_is_to_something_needed(
    kind: EngineKind, meta: IndexMeta, target: SidecarTarget
) -> None:
    for resource in catalogue(kind, meta, STOCK, target):
        ids = dict.fromkeys(resource.needs, "an-id")
        assert "{{" not in json.dumps(resolve(resource.desired, ids))


def test_names_start_with_the_name(meta: IndexMeta, target: SidecarTarget) -> None:
    for kind, options in MADE:
        named = options.model_copy(update={"name": "shop"})
        names = {resource.name for resource in catalogue(kind, meta, named, target)}
        assert names - {"shop-query"} == {"shop", "shop-embed", "shop-rerank"}


@pytest.mark.parametrize(("kind", "everything"), MADE)
def test_new_indices_embed_only_by_a_pipeline_that_is_there(
    kind: EngineKind, everything: PipelineOptions, meta: IndexMeta, target: SidecarTarget
) -> None:
    plain = PipelineOptions()
    assert default_pipeline(catalogue(kind, meta, plain, target)) is None
    assert default_pipeline(catalogue(kind, meta, everything, target)) == "rankside-embed"
    only = catalogue(kind, meta, everything, target, [Part.TEMPLATE])
    assert default_pipeline(only) is None
    attached = catalogue(kind, meta, everything, target, [Part.TEMPLATE], attached=True)
    assert default_pipeline(attached) == "rankside-embed"


async def test_a_pipeline_that_is_there_is_seen(engine: MemoryEngine) -> None:
    assert not await has_ingest_pipeline(engine, PipelineOptions())
    engine.kept["/_ingest/pipeline/rankside-embed"] = {"processors": []}
    assert await has_ingest_pipeline(engine, PipelineOptions())


def test_references_are_filled_in_wherever_they_stand() -> None:
    body = {"a": ref("model x"), "b": [{"c": ref("model x")}, ref("model y")], "d": 1}
    assert resolve(body, {"model x": "42"}) == {
        "a": "42",
        "b": [{"c": "42"}, "{{model y}}"],
        "d": 1,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_no_search_pipeline_is_anybodys_default(
    kind: EngineKind, meta: IndexMeta, target: SidecarTarget
) -> None:
    for options in (STOCK, PLUGIN):
        made = catalogue(kind, meta, options, target, [Part.TEMPLATE], attached=True)
        assert "search.default_pipeline" not in json.dumps([one.desired for one in made])


def test_the_plugins_pipelines_are_a_line_each(meta: IndexMeta, target: SidecarTarget) -> None:
    made = catalogue(EngineKind.OPENSEARCH, meta, PLUGIN, target, [Part.INGEST, Part.SEARCH])
    ingest, search = [one.desired for one in made]
    way = {"url": ["http://sidecar:8080"]}
    assert ingest["processors"] == [{"rankside_embedding": way}]
    assert search["request_processors"] == [{"rankside": way}]


def test_elasticsearchs_plugin_knows_its_sidecar_and_searches_name_its_retriever(
    meta: IndexMeta, target: SidecarTarget
) -> None:
    (made,) = catalogue(EngineKind.ELASTICSEARCH, meta, PLUGIN, target, [Part.INGEST, Part.SEARCH])
    assert made.desired["processors"] == [{"rankside_embedding": {}}]
    assert made.desired["_meta"] == {"managed_by": "rankside"}


def test_a_part_that_the_path_has_not_is_refused(meta: IndexMeta, target: SidecarTarget) -> None:
    with pytest.raises(UsageError) as raised:
        catalogue(EngineKind.OPENSEARCH, meta, PipelineOptions(), target, [Part.SEARCH])
    assert str(raised.value) == (
        "--path client has no search part, only template; leave it out, or choose --path stock "
        "or plugin"
    )
