"""The ``rankside_embedding`` processor on a real node, with a real sidecar over a cheap encoder.

The sidecar's address is a setting of the node: each test serves its own sidecar there, or none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch

from connectors.engine import EngineKind
from connectors.meta import vector_hash
from deploy.local import RunningNode
from evaluation.local_sidecar import free_port
from pipelines.definitions import index_body
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import Gate, WordEncoder
from tests.integration.plugin.embedding import (
    META,
    PROCESSOR,
    calls,
    documents,
    is_embedded,
    refused,
    until_one_is_refused,
)
from tests.nodes import own_node
from tests.serving import serving

from .conftest import HEAP, PATIENT, URL, client_of
from .writing import Writer

# The Python client and the Java module run the same cases.
CASES = json.loads((Path(__file__).parents[3] / "cases" / "document_text.json").read_text("utf-8"))
VECTOR = {"type": "dense_vector", "dims": META.dimensions}

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def embedding_node(plugin_zip: Path, port: int) -> Iterator[RunningNode]:
    """A node whose sidecar each test starts, or does not."""
    settings = {URL: [f"http://127.0.0.1:{port}"], **PATIENT}
    with own_node("elasticsearch", plugin=plugin_zip, heap=HEAP, settings=settings) as node:
        yield node


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def serve(port: int) -> Serve:
    """Serves a sidecar with an encoder, or a way to load one, at the node's address."""

    def start(encoder: Any, **options: Any) -> AbstractContextManager[str]:
        return serving(create_app(SidecarOptions(**options), encoder), port)

    return start


@pytest.fixture
def sidecar(serve: Serve, encoder: WordEncoder) -> Iterator[str]:
    with serve(encoder) as url:
        yield url


@pytest.fixture
def writer(embedding_node: RunningNode) -> Iterator[Writer]:
    """A name nobody uses; the node is the tests' own, and so is what they leave there."""
    with client_of(embedding_node, max_retries=0, connections_per_node=64) as client:
        yield Writer(client, f"test-embedding-{uuid4().hex[:10]}")


@pytest.fixture
def embedding(writer: Writer, sidecar: str) -> Writer:
    """An index whose documents are embedded."""
    del sidecar
    writer.prepare({})
    return writer


def test_a_document_is_embedded_and_found_by_its_vector(embedding: Writer) -> None:
    embedding.client.index(
        index=embedding.index, id="1", document={"title": "A", "text": "cold water"}
    )
    stored = embedding.source("1")
    assert is_embedded(stored)
    near = {
        "field": META.vector_field,
        "query_vector": stored[META.vector_field],
        "k": 1,
        "num_candidates": 10,
    }
    assert embedding.ids({"knn": near}) == {"1"}


def test_a_bulk_request_is_embedded_in_few_calls(embedding: Writer, sidecar: str) -> None:
    items = embedding.bulk(documents(1000))
    assert {item["status"] for item in items.values()} == {201}
    assert embedding.embedded() == set(items)
    assert calls(sidecar) < 100  # 16 of 64 texts, where the engine hands them over without a pause


def test_what_is_embedded_by_others_is_kept_without_a_call(embedding: Writer, sidecar: str) -> None:
    embedding.bulk(documents(10))
    before = calls(sidecar)
    copy = {f"copy-{id_}": embedding.source(id_) for id_ in documents(10)}
    embedding.bulk(copy)
    assert calls(sidecar) == before
    assert is_embedded(embedding.source("copy-7"))


def test_what_is_read_without_its_vector_is_embedded_again(embedding: Writer, sidecar: str) -> None:
    """As a client reads it by default: `_source` has the hash and not the vector."""
    embedding.bulk(documents(1))
    before = calls(sidecar)
    read = dict(embedding.client.get(index=embedding.index, id="0")["_source"])
    assert META.hash_field in read
    assert META.vector_field not in read
    embedding.bulk({"copy": read})
    assert calls(sidecar) == before + 1
    assert is_embedded(embedding.source("copy"))


def test_it_is_made_anew_where_that_is_asked_for(writer: Writer, sidecar: str) -> None:
    writer.prepare({"skip_existing": False})
    writer.bulk(documents(1))
    before = calls(sidecar)
    writer.bulk({"0": writer.source("0")})
    assert calls(sidecar) == before + 1


def test_an_update_is_embedded_where_its_text_changes(embedding: Writer, sidecar: str) -> None:
    """The engine has an update begin with the vectors that `_source` leaves out."""
    client, index = embedding.client, embedding.index
    client.index(index=index, id="1", document={"text": "cold water"})
    client.update(index=index, id="1", doc={"views": 7})
    assert calls(sidecar) == 1
    client.update(index=index, id="1", doc={"text": "warm water"})
    assert calls(sidecar) == 2
    assert embedding.source("1")["views"] == 7
    assert is_embedded(embedding.source("1"))


def test_a_bulk_update_runs_no_pipeline_and_its_hash_tells(embedding: Writer) -> None:
    embedding.client.index(index=embedding.index, id="1", document={"text": "cold water"})
    before = embedding.source("1")
    lines = [{"update": {"_id": "1"}}, {"doc": {"text": "warm water"}}]
    assert not embedding.client.bulk(operations=lines, index=embedding.index)["errors"]
    assert embedding.source("1") == {**before, "text": "warm water"}
    assert before[META.hash_field] != vector_hash(META.fingerprint, "warm water")


def test_a_document_without_text_has_no_vector(embedding: Writer, sidecar: str) -> None:
    embedding.bulk({"1": {"text": "cold water"}})
    stale = {**embedding.source("1"), "text": ""}
    embedding.bulk({"1": stale, "2": {"number": 3}, "3": {"title": " ", "text": None}})
    for id_ in ("1", "2", "3"):
        assert not {META.vector_field, META.hash_field} & set(embedding.source(id_))
    assert calls(sidecar) == 1


def test_a_long_text_is_cut_and_one_beyond_all_limits_fails_alone(
    writer: Writer, serve: Serve, encoder: WordEncoder
) -> None:
    with serve(encoder, max_body_bytes=100_000):
        writer.prepare({})
        items = writer.bulk(
            {**documents(40), "long": {"text": "word " * 9000}, "huge": {"text": "word " * 90_000}}
        )
    assert {id_ for id_, item in items.items() if "error" in item} == {"huge"}
    assert items["huge"]["status"] == 400
    assert "HTTP 413" in items["huge"]["error"]["reason"]
    assert is_embedded(writer.source("long"))


def test_texts_are_read_as_python_reads_them(embedding: Writer) -> None:
    index = f"{embedding.index}-cases"
    mappings = {
        "dynamic": False,
        "_meta": META.to_mapping(),
        "properties": {META.vector_field: VECTOR},
    }
    embedding.client.indices.create(index=index, mappings=mappings)
    for number, case in enumerate(CASES):
        embedding.pipeline([{PROCESSOR: {"text_fields": case["fields"]}}])
        embedding.client.index(
            index=index, id=str(number), document=case["source"], pipeline=embedding.index
        )
        hashed = case["hash"].replace("f:", f"{META.fingerprint}:") if case["text"] else None
        assert embedding.source(str(number), index).get(META.hash_field) == hashed, case["name"]


@pytest.mark.parametrize("verbose", [False, True])
def test_it_can_be_tried_out(embedding: Writer, *, verbose: bool) -> None:
    document = {"_index": embedding.index, "_id": "1", "_source": {"text": "cold water"}}
    answer = embedding.client.ingest.simulate(
        pipeline={"processors": [{PROCESSOR: {}}]}, docs=[document] * 3, verbose=verbose
    )
    for result in answer["docs"]:
        (tried,) = result["processor_results"] if verbose else [result]
        assert is_embedded(tried["doc"]["_source"])


def test_an_index_made_by_its_first_document_is_as_its_template_says(embedding: Writer) -> None:
    name = f"{embedding.index}-made"
    body = index_body(EngineKind.ELASTICSEARCH, META, replicas=0, default_pipeline=embedding.index)
    embedding.client.indices.put_index_template(
        name=name, index_patterns=[f"{name}*"], template=body
    )
    assert {one["status"] for one in embedding.bulk(documents(3), name).values()} == {201}
    assert is_embedded(embedding.source("2", name))


def test_documents_may_be_written_by_an_alias(embedding: Writer) -> None:
    alias = f"{embedding.index}-alias"
    embedding.client.indices.put_alias(index=embedding.index, name=alias)
    assert {one["status"] for one in embedding.bulk(documents(3), alias).values()} == {201}
    assert is_embedded(embedding.source("2"))


def test_several_fields_have_vectors_of_their_own(writer: Writer, sidecar: str) -> None:
    writer.pipeline([{PROCESSOR: {"field_map": {"a": "title", "o.b": ["text"]}}}])
    writer.client.indices.create(
        index=writer.index,
        settings={"index": {"default_pipeline": writer.index}},
        mappings={
            "_meta": META.to_mapping(),
            "properties": {"a": VECTOR, "o": {"properties": {"b": VECTOR}}},
        },
    )
    writer.bulk({"1": {"title": "cold", "text": "water"}})
    assert calls(sidecar) == 1
    stored = writer.source("1")
    for text, vector, hashed in (
        ("cold", stored["a"], stored["a_hash"]),
        ("water", stored["o"]["b"], stored["o"]["b_hash"]),
    ):
        source = {"text": text, META.vector_field: vector, META.hash_field: hashed}
        assert is_embedded(source)


def test_a_sidecar_that_is_not_there_is_reported_at_once(writer: Writer) -> None:
    writer.prepare({})
    with pytest.raises(ApiError) as alone:
        writer.client.index(index=writer.index, id="1", document={"text": "cold water"})
    assert alone.value.status_code == 503
    assert "cannot be reached" in alone.value.body["error"]["reason"]
    assert "cannot be reached" in refused(writer.bulk(documents(60)), 503)
    assert writer.ids() == set()


def test_an_ignored_failure_leaves_no_stale_vector(
    writer: Writer, serve: Serve, encoder: WordEncoder
) -> None:
    writer.prepare({"ignore_failure": True})
    with serve(encoder):
        writer.bulk({"1": {"text": "cold water"}})
        stale = writer.source("1")
        assert is_embedded(stale)
    items = writer.bulk({**documents(50), "1": {**stale, "text": "warm water"}, "none": {"n": 1}})
    assert {item["status"] for item in items.values()} == {200, 201}
    assert writer.source("1") == {"text": "warm water"}
    assert writer.ids({"exists": {"field": META.vector_field}}) == set()


def test_what_follows_a_failure_runs_for_the_documents_that_failed(
    writer: Writer, sidecar: str
) -> None:
    """The engine's other processors are not on this node: another of ours comes to the rescue."""
    index = f"{writer.index}-two"
    rescue = {PROCESSOR: {"vector_field": "b", "hash_field": "c", "text_fields": "text"}}
    writer.pipeline([{PROCESSOR: {"vector_field": "a", "on_failure": [rescue]}}])
    writer.client.indices.create(
        index=index,
        settings={"index": {"default_pipeline": writer.index}},
        mappings={
            "_meta": META.to_mapping(),
            "properties": {"a": {**VECTOR, "dims": 8}, "b": VECTOR},
        },
    )
    items = writer.bulk(documents(5), index)
    assert {item["status"] for item in items.values()} == {201}
    for id_ in items:
        assert {"a", "b", "c"} & set(writer.source(id_, index)) == {"b", "c"}
    assert calls(sidecar) > 0


def test_not_a_number_is_never_indexed(embedding: Writer, encoder: WordEncoder) -> None:
    encoder.spoil = lambda vectors: vectors * np.nan
    for source in documents(3).values():  # one by one: the reason names the call
        assert "HTTP 502" in refused(embedding.bulk({"1": source}), 502)
    assert embedding.ids() == set()


def test_vectors_of_another_length_are_refused_with_a_sentence(
    writer: Writer, sidecar: str
) -> None:
    writer.prepare({}, META.model_copy(update={"dimensions": 8}))
    reason = refused(writer.bulk(documents(3)), 400)
    assert calls(sidecar) > 0
    assert (
        f"have 16 dimensions and field [rankside_vector] of index [{writer.index}] has 8" in reason
    )
    assert writer.ids() == set()


def test_vectors_of_another_model_are_refused_with_a_sentence(writer: Writer, sidecar: str) -> None:
    writer.prepare({}, META.model_copy(update={"fingerprint": "beef"}))
    reason = refused(writer.bulk(documents(3)), 400)
    assert calls(sidecar, status=409) > 0
    assert "serves another model than the one with fingerprint beef" in reason
    assert writer.ids() == set()


def test_an_index_that_is_being_re_embedded_takes_vectors_of_its_new_model(
    writer: Writer, sidecar: str
) -> None:
    writer.prepare({}, META.model_copy(update={"fingerprint": ""}))
    writer.bulk(documents(3))
    assert calls(sidecar) > 0
    assert is_embedded(writer.source("2"))


def test_an_overloaded_sidecar_is_waited_for(
    writer: Writer, serve: Serve, encoder: WordEncoder
) -> None:
    with serve(encoder, queue_tokens=600) as url:
        encoder.before = until_one_is_refused(url)
        writer.prepare({"batch_size": 32})
        items = writer.bulk(documents(1000))
        assert calls(url, status=429) > 0
    assert {item["status"] for item in items.values()} == {201}
    assert writer.embedded() == set(items)


def test_a_sidecar_that_loads_its_model_is_waited_for(
    writer: Writer, serve: Serve, encoder: WordEncoder
) -> None:
    loaded = threading.Event()

    def load() -> WordEncoder:
        assert loaded.wait(timeout=60)
        return encoder

    with serve(load) as url:
        writer.prepare({})
        timer = threading.Timer(2.0, loaded.set)
        timer.start()
        items = writer.bulk(documents(10))
        timer.cancel()
        assert loaded.is_set()
        assert calls(url, status=503) > 0
    assert {item["status"] for item in items.values()} == {201}


def test_a_sidecar_that_hangs_is_reported_when_the_time_is_over(
    writer: Writer, sidecar: str, encoder: WordEncoder
) -> None:
    del sidecar
    gate = Gate()
    encoder.before = gate
    writer.prepare({"timeout": "500ms"})
    try:
        assert "did not answer within 500 ms" in refused(writer.bulk(documents(10)), 504)
    finally:
        gate.open()


def test_many_writers_at_once_are_all_served(embedding: Writer) -> None:
    failed: list[str] = []

    def write(number: int) -> None:
        mine = {f"{number}-{id_}": source for id_, source in documents(100).items()}
        items = embedding.bulk(mine)
        failed.extend(id_ for id_, item in items.items() if item["status"] != 201)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    assert len(embedding.embedded()) == 800


@pytest.mark.parametrize(
    ("processor", "why"),
    [
        ({"url": "http://a:1"}, "doesn't support one or more provided configuration"),
        ({"batch_size": 0}, "[batch_size] is 0 and not between 1 and 512"),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused(
    writer: Writer, processor: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadRequestError) as error:
        writer.pipeline([{PROCESSOR: processor}])
    assert why in str(error.value.body)


def test_a_node_without_a_sidecar_takes_no_pipeline_for_one(
    start_plugin_node: Callable[..., RunningNode],
) -> None:
    node = start_plugin_node()
    with Elasticsearch(node.url) as client, pytest.raises(BadRequestError) as error:
        Writer(client, "nowhere").pipeline([{PROCESSOR: {}}])
    assert "this node has no sidecar; set rankside.sidecar.url" in str(error.value.body)
