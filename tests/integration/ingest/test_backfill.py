from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta, vector_hash
from connectors.options import SidecarClientOptions
from ingest.backfill import BackfillOptions, backfill, find_stale
from ingest.bulk import BulkOptions
from ingest.embedders import SidecarEmbedder
from ingest.index import existing_index
from ingest.stages import FlowOptions
from plugin.ranking.errors import SettingsError, SidecarError
from plugin.ranking.prompts import EncoderInput
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import PROFILE, WordEncoder
from tests.integration.ingest.conftest import documents, sources, with_vector
from tests.serving import serving

OTHER = replace(PROFILE, name="other", revision="2")


def options(index: str, **given: Any) -> BackfillOptions:
    bulk = BulkOptions(docs=10, patience=given.pop("patience", 60))
    return BackfillOptions(
        index=index, flow=FlowOptions(batch=8, concurrency=2, bulk=bulk), **given
    )


@pytest.fixture
async def plain(engine: Engine, index: str) -> str:
    """Thirty documents that somebody else indexed, on two shards; `doc-29` has no text."""
    body = {
        "settings": {"number_of_shards": 2},
        "mappings": {"properties": {"title": {"type": "text"}, "text": {"type": "text"}}},
    }
    await engine.request("PUT", f"/{index}", body=body)
    operations: list[dict[str, Any]] = []
    for one in [*documents(29), {"_id": "doc-29", "number": 29}]:
        operations += [{"index": {"_id": one.pop("_id")}}, one]
    await engine.bulk(index, operations)
    await engine.request("POST", f"/{index}/_refresh")
    return index


@pytest.fixture
async def other_embedder() -> AsyncIterator[SidecarEmbedder]:
    """A sidecar with another model."""
    with serving(create_app(SidecarOptions(), WordEncoder(OTHER))) as url:
        connected = await SidecarEmbedder.connect(SidecarClientOptions(url=url), parallel=2)
        yield connected
        await connected.close()


async def meta_of(engine: Engine, index: str) -> IndexMeta | None:
    return (await existing_index(engine, index)).meta


async def test_an_index_of_others_gets_its_vectors_and_a_second_run_does_nothing(
    engine: Engine, plain: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    expected = await find_stale(engine, embedder, options(plain))
    untouched = await existing_index(engine, plain)
    first = await backfill(engine, embedder, options(plain))
    encoder.batches.clear()
    second = await backfill(engine, embedder, options(plain))

    assert untouched.meta is None
    assert (expected.documents, expected.missing, expected.complete) == (30, 30, False)
    assert expected.added_fields == first.added_fields == ["rankside_vector", "rankside_hash"]
    assert (first.documents, first.missing, first.stale, first.current) == (30, 30, 0, 0)
    assert (first.updated, first.embedded, first.complete) == (30, 29, True)
    assert (second.documents, second.current, second.updated) == (30, 30, 0)
    assert (second.complete, encoder.batches) == (True, [])
    found = await sources(engine, plain)
    assert found["doc-7"]["number"] == 7
    assert found["doc-7"]["rankside_hash"] == vector_hash(
        PROFILE.fingerprint, "Number 7\nvector query 7"
    )
    assert await with_vector(engine, plain) == {f"doc-{number}" for number in range(29)}
    meta = await meta_of(engine, plain)
    assert meta is not None
    assert meta.fingerprint == PROFILE.fingerprint


async def test_only_what_changed_is_embedded_again(
    engine: Engine, plain: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    await backfill(engine, embedder, options(plain))
    path = f"/{plain}/_update/doc-3"
    await engine.request("POST", path, body={"doc": {"text": "new words"}})
    await engine.request("POST", f"/{plain}/_update/doc-4", body={"doc": {"number": 1}})
    await engine.request("POST", f"/{plain}/_update/doc-5", body={"doc": {"text": "", "title": ""}})
    await engine.request("PUT", f"/{plain}/_doc/doc-6", body={"text": "put anew"})
    await engine.request("DELETE", f"/{plain}/_doc/doc-7")
    await engine.request("POST", f"/{plain}/_refresh")
    encoder.batches.clear()

    counted = await find_stale(engine, embedder, options(plain))
    report = await backfill(engine, embedder, options(plain))

    assert (counted.current, counted.missing, counted.stale) == (26, 1, 2)
    assert (report.current, report.missing, report.stale) == (26, 1, 2)
    assert (report.updated, report.embedded) == (3, 2)
    embedded = sorted(text for batch in encoder.batches for text in batch)
    assert embedded == ["Number 3\nnew words", "put anew"]
    assert "doc-5" not in await with_vector(engine, plain)
    assert (await find_stale(engine, embedder, options(plain))).complete


class Meddling:
    """Writes into the index while its documents are being embedded."""

    def __init__(self, engine: Engine, operations: list[dict[str, Any]], times: int = 1) -> None:
        self.engine = engine
        self.operations = operations
        self.times = times
        self.loop = asyncio.get_running_loop()

    def __call__(self, inputs: Sequence[EncoderInput]) -> None:
        # The encoder runs in a thread of the sidecar.
        if self.times and any(one.text.startswith(("Number", "meddled")) for one in inputs):
            self.times -= 1
            writing = self.engine.bulk("", self.operations)
            asyncio.run_coroutine_threadsafe(writing, self.loop).result(timeout=60)


async def test_what_others_write_meanwhile_is_kept_and_embedded(
    engine: Engine, plain: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    operations: list[dict[str, Any]] = []
    for number in range(29):
        address = {"_index": plain, "_id": f"doc-{number}"}
        if number % 3 == 0:
            operations += [{"index": address}, {"text": f"meddled {number}"}]
        elif number % 3 == 1:
            operations += [{"update": address}, {"doc": {"number": -1}}]
        else:
            operations += [{"delete": address}]
    encoder.before = Meddling(engine, operations)

    report = await backfill(engine, embedder, options(plain))

    assert report.complete
    assert report.gone == 9
    assert report.updated == 21
    found = await sources(engine, plain)
    assert set(found) == {
        f"doc-{number}" for number in range(30) if number % 3 != 2 or number == 29
    }
    for number in range(0, 29, 3):
        one = found[f"doc-{number}"]
        hash_ = vector_hash(PROFILE.fingerprint, f"meddled {number}")
        assert one == {"text": f"meddled {number}", "rankside_hash": hash_}
    assert all(found[f"doc-{number}"]["number"] == -1 for number in range(1, 29, 3))
    assert (await find_stale(engine, embedder, options(plain))).complete


async def test_a_document_that_is_never_left_alone_is_said_and_left_to_the_next_run(
    engine: Engine, plain: str, embedder: SidecarEmbedder, encoder: WordEncoder
) -> None:
    operations = [{"index": {"_index": plain, "_id": "doc-1"}}, {"text": "Number one"}]
    encoder.before = Meddling(engine, operations, times=1000)

    report = await backfill(engine, embedder, options(plain))
    encoder.before = lambda _: None
    again = await backfill(engine, embedder, options(plain))

    assert (report.conflicts, report.complete) == (1, False)
    assert report.updated == 29
    assert (again.updated, again.complete) == (1, True)


async def test_routing_is_kept(engine: Engine, plain: str, embedder: SidecarEmbedder) -> None:
    operations: list[dict[str, Any]] = []
    for number in range(10):
        address = {"_id": f"routed-{number}", "routing": f"customer-{number % 3}"}
        operations += [{"index": address}, {"text": f"routed words {number}"}]
    await engine.bulk(plain, operations)

    report = await backfill(engine, embedder, options(plain))

    assert (report.documents, report.updated, report.complete) == (40, 40, True)
    assert len(await sources(engine, plain)) == 40
    assert len(await with_vector(engine, plain)) == 39


async def test_vectors_of_another_model_are_replaced_only_when_told(
    engine: Engine, plain: str, embedder: SidecarEmbedder, other_embedder: SidecarEmbedder
) -> None:
    await backfill(engine, embedder, options(plain))

    with pytest.raises(SettingsError, match=r"--rebuild .*--in-place"):
        await backfill(engine, other_embedder, options(plain))
    report = await backfill(engine, other_embedder, options(plain, in_place=True))

    assert (report.stale, report.updated, report.embedded) == (30, 30, 29)
    assert report.complete
    assert await meta_of(engine, plain) == IndexMeta(
        fingerprint=OTHER.fingerprint, model="other", revision="2", dimensions=16
    )


async def test_a_replacement_that_stops_leaves_the_fingerprint_empty_until_it_is_done(
    engine: Engine,
    plain: str,
    embedder: SidecarEmbedder,
    other_embedder: SidecarEmbedder,
    encoder: WordEncoder,
) -> None:
    await backfill(engine, other_embedder, options(plain))
    encoder.before = _fail_on_documents
    with pytest.raises(SidecarError):
        await backfill(engine, embedder, options(plain, in_place=True, patience=0))
    halfway = await meta_of(engine, plain)
    encoder.before = lambda _: None

    with pytest.raises(SettingsError):
        await backfill(engine, other_embedder, options(plain))
    report = await backfill(engine, embedder, options(plain))

    assert halfway is not None
    assert (halfway.fingerprint, halfway.model) == ("", "words")
    assert report.complete
    meta = await meta_of(engine, plain)
    assert meta is not None
    assert meta.fingerprint == PROFILE.fingerprint


def _fail_on_documents(inputs: Sequence[EncoderInput]) -> None:
    if any(one.text.startswith("Number") for one in inputs):
        raise RuntimeError("made to fail")


async def test_a_document_that_the_engine_refuses_is_a_dead_letter_and_the_rest_is_done(
    engine: Engine, plain: str, embedder: SidecarEmbedder
) -> None:
    # Its other field no longer fits the mapping, so that no update of it succeeds.
    body = {"properties": {"bad": {"type": "integer", "ignore_malformed": True}}}
    await engine.request("PUT", f"/{plain}/_mapping", body=body)
    await engine.request("PUT", f"/{plain}/_doc/doc-2", body={"text": "words", "bad": "word"})
    strict = {"properties": {"bad": {"type": "integer", "ignore_malformed": False}}}
    await engine.request("PUT", f"/{plain}/_mapping", body=strict)

    report = await backfill(engine, embedder, options(plain))

    assert (report.rejected, report.complete) == (1, False)
    assert report.updated == 29
    letters = _letters(report.dead_letter)
    assert [letter["id"] for letter in letters] == ["doc-2"]


def _letters(path: str | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(str(path)).read_text().splitlines()]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"mappings": {"_source": {"enabled": False}}}, "keeps no _source"),
        ({"mappings": {"properties": {"rankside_hash": {"type": "text"}}}}, "not keyword"),
    ],
)
async def test_an_index_that_cannot_be_done_is_refused_in_one_sentence(
    engine: Engine, index: str, embedder: SidecarEmbedder, body: dict[str, Any], why: str
) -> None:
    await engine.request("PUT", f"/{index}", body=body)

    with pytest.raises(SettingsError, match=why):
        await backfill(engine, embedder, options(index))
    assert (await existing_index(engine, index)).meta is None


async def test_no_index_and_no_text_are_said(
    engine: Engine, plain: str, embedder: SidecarEmbedder
) -> None:
    with pytest.raises(SettingsError, match="there is no index"):
        await backfill(engine, embedder, options(f"{plain}-no"))
    with pytest.raises(SettingsError, match="has text in body; give --text-fields"):
        await backfill(engine, embedder, options(plain, text_fields=("body",)))
    assert (await existing_index(engine, plain)).meta is None


async def test_an_opensearch_index_without_knn_takes_vectors_for_scripts(
    engine: Engine, plain: str, embedder: SidecarEmbedder
) -> None:
    await backfill(engine, embedder, options(plain))

    field = (await existing_index(engine, plain)).field("rankside_vector")
    assert field is not None
    if engine.kind is EngineKind.OPENSEARCH:
        assert (field["type"], field["dimension"]) == ("knn_vector", 16)
        assert "method" not in field
    else:
        assert (field["type"], field["dims"]) == ("dense_vector", 16)
