from __future__ import annotations

import itertools
import json

import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue, has_ingest_pipeline
from pipelines.options import Part, PipelineOptions
from pipelines.resources import Resource, key, ref, resolve
from tests.unit.pipelines.memory import MemoryEngine

KINDS = list(EngineKind)
SUBSETS = [subset for size in range(1, 4) for subset in itertools.combinations(list(Part), size)]


def default_pipeline(resources: tuple[Resource, ...]) -> str | None:
    (template,) = [one for one in resources if one.part is Part.TEMPLATE]
    found: str | None = template.desired["template"]["settings"]["index"].get("default_pipeline")
    return found


@pytest.mark.parametrize("parts", SUBSETS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_selection_holds_its_parts_each_after_what_it_needs(
    kind: EngineKind, parts: tuple[Part, ...], meta: IndexMeta, target: SidecarTarget
) -> None:
    resources = catalogue(kind, meta, PipelineOptions(), target, parts)
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
    for resource in catalogue(kind, meta, PipelineOptions(with_ml=True), target):
        ids = dict.fromkeys(resource.needs, "an-id")
        assert "{{" not in json.dumps(resolve(resource.desired, ids))


def test_names_start_with_the_name(meta: IndexMeta, target: SidecarTarget) -> None:
    options = PipelineOptions(name="shop", with_ml=True)
    for kind in KINDS:
        names = {resource.name for resource in catalogue(kind, meta, options, target)}
        assert names == {"shop", "shop-embed", "shop-rerank"}


@pytest.mark.parametrize("kind", KINDS)
def test_new_indices_embed_only_by_a_pipeline_that_is_there(
    kind: EngineKind, meta: IndexMeta, target: SidecarTarget
) -> None:
    plain = PipelineOptions()
    everything = PipelineOptions(with_ml=True)
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
