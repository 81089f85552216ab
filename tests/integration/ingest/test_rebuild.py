from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta, vector_hash
from connectors.options import SidecarClientOptions
from ingest.bulk import BulkOptions
from ingest.embedders import SidecarEmbedder
from ingest.index import existing_index
from ingest.rebuild import RebuildOptions, rebuild
from ingest.stages import FlowOptions
from pipelines.definitions import index_body, vector_mapping
from plugin.ranking.errors import EngineRejected, SettingsError, SidecarError
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import PROFILE, WordEncoder
from tests.integration.ingest.conftest import documents, sources, with_vector
from tests.serving import serving

OLD = IndexMeta(fingerprint="0" * 16, model="old", dimensions=4, vector_field="old_vector")
FILTER = {"term": {"shown": True}}


def options(index: str, **given: Any) -> RebuildOptions:
    bulk = BulkOptions(docs=10, patience=given.pop("patience", 60))
    return RebuildOptions(index=index, flow=FlowOptions(batch=8, concurrency=2, bulk=bulk), **given)


def actions(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Bulk operations that index documents with an old vector and one of somebody else's."""
    operations: list[dict[str, Any]] = []
    for one in documents(len(numbers), numbers[0]):
        number = one["number"]
        address = {"_id": one.pop("_id")}
        if number % 5 == 0:
            address["routing"] = f"customer-{number}"
        vectors = {"old_vector": [1, 2, 3, number + 1], "theirs": [number + 1, 0.5]}
        operations += [{"index": address}, {**one, **vectors, "rankside_hash": "x", "shown": True}]
    return operations


@pytest.fixture
async def old(engine: Engine, index: str) -> str:
    """Forty documents with another model's vectors, on two shards, behind an alias."""
    extra = {"theirs": vector_mapping(engine.kind, 2), "shown": {"type": "boolean"}}
    body = index_body(engine.kind, OLD, shards=2, extra=extra)
    body["settings"]["index"]["refresh_interval"] = "9s"
    await engine.request("PUT", f"/{index}-1", body=body)
    await engine.bulk(f"{index}-1", actions(range(40)))
    add = {"index": f"{index}-1", "alias": index, "filter": FILTER}
    await engine.request("POST", "/_aliases", body={"actions": [{"add": add}]})
    await engine.request("POST", f"/{index}/_refresh")
    return index


def new_of(index: str) -> str:
    return f"{index}-1-{PROFILE.fingerprint[:8]}"


def without_vectors(document: dict[str, Any]) -> dict[str, Any]:
    """Elasticsearch leaves them out of `_source` by itself."""
    return {name: value for name, value in document.items() if name not in ("theirs", "old_vector")}


async def test_the_alias_moves_to_a_whole_copy_with_new_vectors(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    before = await sources(engine, f"{old}-1")

    report = await rebuild(engine, embedder, options(old))

    assert (report.old, report.new) == (f"{old}-1", new_of(old))
    assert (report.documents, report.originals, report.copied, report.embedded) == (40,) * 4
    assert (report.swapped, report.old_deleted, report.rejected) == (True, False, 0)
    index = await existing_index(engine, old)
    assert index.name == new_of(old)
    assert index.aliases[old]["filter"] == FILTER
    assert index.settings["refresh_interval"] == "9s"
    assert index.settings["number_of_shards"] == "2"
    assert index.meta == IndexMeta(
        fingerprint=PROFILE.fingerprint,
        model="words",
        revision="1",
        dimensions=16,
        vector_field="old_vector",
    )
    after = await sources(engine, index.name)
    assert set(after) == set(before)
    for id_, document in after.items():
        expected = without_vectors(before[id_])
        text = f"{expected['title']}\n{expected['text']}"
        expected["rankside_hash"] = vector_hash(PROFILE.fingerprint, text)
        assert without_vectors(document) == expected
    assert await with_vector(engine, index.name, "old_vector") == set(before)
    assert await with_vector(engine, index.name, "theirs") == set(before)
    routed = await engine.request("GET", f"/{index.name}/_doc/doc-5?routing=customer-5")
    assert routed["_routing"] == "customer-5"
    assert len(await sources(engine, f"{old}-1")) == 40


async def test_the_vectors_of_others_are_copied_bit_for_bit(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    await rebuild(engine, embedder, options(old))

    body = {"query": {"ids": {"values": ["doc-7"]}}, "fields": ["theirs"], "_source": False}
    (hit,) = (await engine.search(new_of(old), body))["hits"]["hits"]
    flat = hit["fields"]["theirs"]
    assert (flat[0] if isinstance(flat[0], list) else flat) == [8.0, 0.5]


class Meddling:
    """Writes into the old index while its documents are being embedded, once."""

    def __init__(self, engine: Engine, index: str, operations: list[dict[str, Any]]) -> None:
        self.engine = engine
        self.index = index
        self.operations = operations
        self.loop = asyncio.get_running_loop()
        self.refused: list[str] = []

    def __call__(self, inputs: Sequence[EncoderInput]) -> None:
        if self.operations and inputs[0].text.startswith("Number"):
            operations, self.operations = self.operations, []
            writing = self.engine.bulk(self.index, operations)
            outcome = asyncio.run_coroutine_threadsafe(writing, self.loop).result(timeout=60)
            self.refused = [item.error for item in outcome.items if item.error]


async def test_what_is_written_meanwhile_is_caught_up_with(
    engine: Engine, old: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    operations: list[dict[str, Any]] = []
    for number in range(1, 40, 5):
        operations += [{"delete": {"_id": f"doc-{number}"}}]
    for number in range(2, 40, 5):
        operations += [{"update": {"_id": f"doc-{number}"}}, {"doc": {"text": "changed"}}]
    for number in (3, 8):  # deleted, then there again: as a new document, with version 1 or so
        operations += [{"delete": {"_id": f"doc-{number}"}}]
        operations += [{"create": {"_id": f"doc-{number}"}}, {"title": "Number", "text": "reborn"}]
    operations += actions(range(40, 50))
    encoder.before = Meddling(engine, f"{old}-1", operations)

    report = await rebuild(engine, embedder, options(old))

    assert report.swapped
    assert report.passes > 1
    originals, copies = await sources(engine, f"{old}-1"), await sources(engine, new_of(old))
    assert set(copies) == set(originals)
    assert len(copies) == 42
    for id_, copy in copies.items():
        assert (copy["title"], copy["text"]) == (originals[id_]["title"], originals[id_]["text"])
        text = f"{copy['title']}\n{copy['text']}"
        assert copy["rankside_hash"] == vector_hash(PROFILE.fingerprint, text)


async def test_a_rebuild_that_stopped_goes_on_and_embeds_nothing_twice(
    engine: Engine, old: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    left = [24]

    def fail(inputs: Sequence[EncoderInput]) -> None:
        left[0] -= sum(one.text.startswith("Number") for one in inputs)
        if left[0] < 0:
            raise RuntimeError("made to fail")

    encoder.before = fail
    with pytest.raises(SidecarError):
        await rebuild(engine, embedder, options(old, patience=0))
    assert (await existing_index(engine, old)).name == f"{old}-1"
    await engine.request("POST", f"/{new_of(old)}/_refresh")
    done = await sources(engine, new_of(old))
    encoder.before = lambda _: None

    report = await rebuild(engine, embedder, options(old))

    assert report.copied <= 40 - len(done)  # a request that was under way may have come through
    assert (report.documents, report.swapped) == (40, True)


async def test_the_name_stays_where_a_document_is_refused(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    # Indexed while the mapping forgave it; the copy's mapping does not.
    lenient = {"properties": {"year": {"type": "integer", "ignore_malformed": True}}}
    await engine.request("PUT", f"/{old}-1/_mapping", body=lenient)
    await engine.request("PUT", f"/{old}-1/_doc/bad", body={"text": "words", "year": "MMXX"})
    strict = {"properties": {"year": {"type": "integer", "ignore_malformed": False}}}
    await engine.request("PUT", f"/{old}-1/_mapping", body=strict)

    report = await rebuild(engine, embedder, options(old))

    assert (report.swapped, report.not_copied, report.rejected) == (False, 1, 1)
    assert (report.copied, report.documents) == (40, 40)
    (letter,) = _letters(report.dead_letter)
    assert (letter["id"], letter["status"]) == ("bad", 400)
    assert (await existing_index(engine, old)).name == f"{old}-1"


def _letters(path: str | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(str(path)).read_text().splitlines()]


async def test_an_index_s_own_name_is_handed_over_only_when_told(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    own = f"{old}-1"
    with pytest.raises(SettingsError, match="--replace-index"):
        await rebuild(engine, embedder, options(own))

    report = await rebuild(engine, embedder, options(own, replace_index=True))

    assert (report.swapped, report.old_deleted) == (True, True)
    index = await existing_index(engine, own)
    assert (index.name, set(index.aliases)) == (new_of(old), {own, old})
    assert index.aliases[old]["filter"] == FILTER
    assert len(await sources(engine, own)) == 40


async def test_the_old_index_is_deleted_only_when_told_and_nobody_else_needs_it(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    other = {"add": {"index": f"{old}-1", "alias": f"{old}-other"}}
    await engine.request("POST", "/_aliases", body={"actions": [other]})
    with pytest.raises(SettingsError, match=f"also known as {old}-other"):
        await rebuild(engine, embedder, options(old, delete_old=True))
    away = {"remove": {"index": f"{old}-1", "alias": f"{old}-other"}}
    await engine.request("POST", "/_aliases", body={"actions": [away]})

    report = await rebuild(engine, embedder, options(old, delete_old=True))

    assert report.old_deleted
    assert await engine.request("GET", f"/{old}-*") != {}
    with pytest.raises(EngineRejected) as caught:
        await engine.request("GET", f"/{old}-1")
    assert caught.value.status == 404


async def test_writes_are_blocked_only_between_the_first_pass_and_the_end(
    engine: Engine, old: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    first = Meddling(engine, f"{old}-1", actions(range(40, 45)))
    encoder.before = first
    blocked: list[bool] = []

    async def look() -> None:
        settings = (await existing_index(engine, f"{old}-1")).settings
        blocked.append("blocks" in settings)

    looks = []
    report = await rebuild(
        engine,
        embedder,
        options(old, block_writes=True),
        watch=lambda _: looks.append(asyncio.create_task(look())),
    )
    await asyncio.gather(*looks)

    assert first.refused == []
    assert (report.swapped, report.documents) == (True, 45)
    assert True in blocked
    assert "blocks" not in (await existing_index(engine, f"{old}-1")).settings


async def test_an_index_in_the_way_is_not_touched(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    await engine.request("PUT", f"/{new_of(old)}")

    with pytest.raises(SettingsError, match="this rebuild did not make"):
        await rebuild(engine, embedder, options(old))
    assert (await existing_index(engine, old)).name == f"{old}-1"


async def test_a_second_rebuild_with_the_same_model_makes_a_second_copy(
    engine: Engine, old: str, embedder: SidecarEmbedder
) -> None:
    await rebuild(engine, embedder, options(old, delete_old=True))

    report = await rebuild(engine, embedder, options(old, text_fields=("title",)))

    assert report.new == f"{new_of(old)}-2"
    assert (report.documents, report.swapped) == (40, True)
    index = await existing_index(engine, old)
    assert index.meta is not None
    assert index.meta.text_fields == ("title",)


async def test_a_text_that_the_model_refuses_is_copied_without_a_vector(
    engine: Engine, old: str, encoder: WordEncoder
) -> None:
    huge = {"text": "word " * 5000, "shown": True}
    await engine.request("PUT", f"/{old}-1/_doc/huge", body=huge)
    with serving(create_app(SidecarOptions(max_body_bytes=20_000), encoder)) as url:
        embedder = await SidecarEmbedder.connect(SidecarClientOptions(url=url))
        report = await rebuild(engine, embedder, options(old, vector_field="v"))
        await embedder.close()

    assert (report.swapped, report.documents, report.copied) == (True, 41, 41)
    assert (report.without_vector, report.rejected, report.not_copied) == (1, 1, 0)
    assert "413" in _letters(report.dead_letter)[0]["reason"]
    there = await with_vector(engine, new_of(old), "v")
    assert there == {f"doc-{number}" for number in range(40)}
    assert await with_vector(engine, new_of(old), "old_vector") == set()
