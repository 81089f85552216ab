from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any
from weakref import ref

import pytest

from connectors.engine import EngineKind
from connectors.index import IndexCatalogue, VectorField, catalogue_of, vector_field
from connectors.meta import IndexMeta
from connectors.search import SearchOptions
from connectors.search_options import PassThrough
from connectors.target import find_target, known_text_fields
from plugin.ranking.errors import EngineRejected, EngineUnavailable
from tests.unit.connectors.fakes import FakeEngine

META = IndexMeta(fingerprint="f" * 16, model="m", dimensions=3)
KNN = {"type": "knn_vector", "dimension": 3, "method": {"space_type": "cosinesimil"}}
TEXT = {"type": "text"}
OS, ES = EngineKind.OPENSEARCH, EngineKind.ELASTICSEARCH


def mapping(meta: IndexMeta | None = META, **properties: Any) -> dict[str, Any]:
    fields = {"title": TEXT, "text": TEXT, "rankside_vector": KNN, **properties}
    known = {name: one for name, one in fields.items() if one is not None}
    return {"mappings": {"properties": known, **({"_meta": meta.to_mapping()} if meta else {})}}


def engine_with(**indices: Any) -> FakeEngine:
    return FakeEngine(lambda _path, _body: indices)


async def test_a_mapping_is_asked_for_once_in_a_while() -> None:
    engine = engine_with(one=mapping())
    catalogue = IndexCatalogue(ttl=1000)
    for _ in range(3):
        assert [fact.name for fact in await catalogue.facts(engine, "alias")] == ["one"]
    assert [path for path, *_ in engine.requests] == ["/alias/_mapping"]
    catalogue.forget("alias")
    await catalogue.facts(engine, "alias")
    assert len(engine.requests) == 2
    impatient = IndexCatalogue(ttl=-1)
    await impatient.facts(engine, "alias")
    await impatient.facts(engine, "alias")
    assert len(engine.requests) == 4


async def test_a_failure_is_not_remembered() -> None:
    def answer(path: str, _: Mapping[str, Any]) -> Any:
        if len(engine.requests) == 1:
            raise EngineUnavailable("down")
        return {path: mapping()}

    engine = FakeEngine(answer)
    catalogue = IndexCatalogue()
    with pytest.raises(EngineUnavailable):
        await catalogue.facts(engine, "a")
    assert await catalogue.facts(engine, "a")


def test_engines_share_a_catalogue_for_as_long_as_they_live() -> None:
    engine = engine_with()
    assert catalogue_of(engine) is catalogue_of(engine)
    assert catalogue_of(engine_with()) is not catalogue_of(engine)
    kept = ref(catalogue_of(engine))
    del engine
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize(
    ("kind", "given", "exact", "quantized"),
    [
        (OS, KNN, True, False),
        (OS, {"type": "knn_vector", "dimension": 3, "space_type": "cosinesimil"}, True, False),
        (OS, {"type": "knn_vector", "dimension": 3}, False, False),
        (OS, {**KNN, "method": {"space_type": "l2"}}, False, False),
        (ES, {"dims": 3}, True, True),
        (ES, {"dims": 3, "similarity": "dot_product"}, True, True),
        (ES, {"dims": 3, "similarity": "l2_norm"}, False, True),
        (ES, {"dims": 3, "similarity": "max_inner_product"}, False, True),
        (ES, {"dims": 3, "index": False}, False, True),
        (ES, {"dims": 3, "index_options": {"type": "hnsw"}}, True, False),
        (ES, {"dims": 3, "index_options": {"type": "int8_hnsw"}}, True, True),
    ],
)
def test_how_a_field_holds_vectors(
    kind: EngineKind, given: dict[str, Any], exact: bool, quantized: bool
) -> None:
    assert vector_field(kind, given) == VectorField(3, exact, quantized)


@pytest.mark.parametrize(
    ("score", "unit"), [(2.0, 1.0), (1.9999998, 1.0), (1.0, 2.0), (1.0000002, 2.0)]
)
async def test_the_unit_of_the_script_is_what_two_opposite_vectors_add_up_to(
    score: float, unit: float
) -> None:
    engine = FakeEngine(
        lambda *_: {"_shards": {"failed": 0}, "hits": {"hits": [{"_score": score}]}}
    )
    catalogue = IndexCatalogue()
    assert await catalogue.script_unit(engine, "i", "v", 4) == unit
    assert await catalogue.script_unit(engine, "j", "v", 4) == unit
    assert len(engine.requests) == 1
    _, body, params = engine.requests[0]
    assert (body["size"], body["terminate_after"]) == (1, 1)
    assert params == {"search_pipeline": "_none"}


async def test_scripts_that_do_not_run() -> None:
    def refuse(*_: Any) -> Any:
        raise EngineRejected("no", status=400, kind="x")

    assert await IndexCatalogue().script_unit(FakeEngine(refuse), "i", "v", 4) is None
    failing = FakeEngine(lambda *_: {"_shards": {"failed": 1}, "hits": {"hits": []}})
    assert await IndexCatalogue().script_unit(failing, "i", "v", 4) is None


async def test_an_index_without_vectors_teaches_nothing() -> None:
    engine = FakeEngine(lambda *_: {"_shards": {"failed": 0}, "hits": {"hits": []}})
    catalogue = IndexCatalogue()
    assert await catalogue.script_unit(engine, "i", "v", 4) == 1.0
    engine.answer = lambda *_: {"_shards": {"failed": 0}, "hits": {"hits": [{"_score": 1.0}]}}
    assert await catalogue.script_unit(engine, "i", "v", 4) == 2.0


async def target_of(engine: FakeEngine, **options: Any) -> Any:
    return await find_target(engine, IndexCatalogue(), "i", SearchOptions(**options))


async def reason_of(engine: FakeEngine, **options: Any) -> str:
    with pytest.raises(PassThrough) as passed:
        await target_of(engine, **options)
    assert passed.value.error is not None
    return passed.value.reason


async def test_a_target() -> None:
    target = await target_of(engine_with(a=mapping(rankside_hash={"type": "keyword"})))
    assert target.text_fields == ("title", "text")
    assert (target.vector_field, target.hash_field) == ("rankside_vector", "rankside_hash")
    assert target.vectors == VectorField(3, exact_knn=True, quantized=False)
    assert target.indices == {"a"}


async def test_a_hash_field_that_cannot_be_read_is_left_alone() -> None:
    target = await target_of(engine_with(a=mapping(rankside_hash=TEXT)))
    assert target.hash_field is None


async def test_dotted_fields_are_found() -> None:
    meta = META.model_copy(update={"vector_field": "deep.down.vector"})
    deep = {"properties": {"down": {"properties": {"vector": KNN}}}}
    target = await target_of(engine_with(a=mapping(meta, deep=deep)))
    assert target.lacking == ()
    assert target.vectors.dimensions == 3


async def test_the_callers_fields_win() -> None:
    engine = engine_with(a=mapping(mine={**KNN, "dimension": 7}))
    target = await target_of(engine, vector_field="mine", text_fields=("title",))
    assert (target.vector_field, target.text_fields) == ("mine", ("title",))
    assert (target.fingerprint, target.hash_field) == (None, None)
    assert target.vectors.dimensions == 7


async def test_indices_beside_each_other() -> None:
    engine = engine_with(a=mapping(), b=mapping(None, rankside_vector=None))
    assert (await target_of(engine)).lacking == ("b",)
    other = META.model_copy(update={"fingerprint": "0" * 16})
    assert await reason_of(engine_with(a=mapping(), b=mapping(other))) == "mixed_indices"
    longer = mapping(rankside_vector={**KNN, "dimension": 4})
    assert await reason_of(engine_with(a=mapping(), b=longer)) == "mixed_indices"


async def test_why_an_index_cannot_be_reranked() -> None:
    blank = META.model_copy(update={"fingerprint": ""})
    assert await reason_of(engine_with(a=mapping(blank))) == "reembedding"
    assert await reason_of(engine_with(a=mapping(rankside_vector=None))) == "no_vectors"
    assert await reason_of(engine_with(a=mapping(None))) == "no_text_fields"
    assert await reason_of(engine_with(a=mapping(None)), text_fields=("t",)) == "no_vectors"
    broken = {"mappings": {"_meta": {"rankside": {}}}}
    assert await reason_of(engine_with(a=broken)) == "broken_meta"
    llm = await target_of(engine_with(a=mapping(blank)), strategy="insertrank")
    assert llm.text_fields == ("title", "text")


async def test_mappings_that_may_not_be_read() -> None:
    def refuse(*_: Any) -> Any:
        raise EngineRejected("no", status=403, kind="security_exception")

    engine = FakeEngine(refuse)
    assert await reason_of(engine) == "mapping_unreadable"
    assert await reason_of(engine, text_fields=("t",)) == "mapping_unreadable"
    target = await target_of(engine, text_fields=("t",), vector_field="v")
    assert (target.indices, target.vectors.dimensions) == (frozenset(), None)
    assert (await target_of(engine, text_fields=("t",), strategy="insertrank")).indices == set()
    assert await known_text_fields(engine, IndexCatalogue(), "a") == ()


async def test_text_fields_of_several_indices() -> None:
    other = META.model_copy(update={"text_fields": ("text", "body")})
    engine = engine_with(a=mapping(), b=mapping(other), c=mapping(None))
    assert await known_text_fields(engine, IndexCatalogue(), "*") == ("title", "text", "body")
