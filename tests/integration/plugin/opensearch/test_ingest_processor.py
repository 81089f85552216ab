"""The ``rankside_embedding`` processor on a real node, with a real sidecar over a cheap encoder."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError

from connectors.engine import EngineKind
from connectors.meta import vector_hash
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
from tests.serving import serving

from .writing import Writer

# The Python client and the Java module run the same cases.
CASES = json.loads((Path(__file__).parents[3] / "cases" / "document_text.json").read_text("utf-8"))
VECTOR = {META.vector_field: {"type": "knn_vector", "dimension": META.dimensions}}


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def sidecar(encoder: WordEncoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), encoder)) as url:
        yield url


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens, of the test's own: the node remembers such a one."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def writer(opensearch: OpenSearch) -> Iterator[Writer]:
    """A name nobody uses; what begins with it is deleted in the end."""
    made = Writer(opensearch, f"test-embedding-{uuid4().hex[:10]}")
    yield made
    for index in opensearch.indices.get(index=f"{made.index}*"):
        opensearch.indices.delete(index=index)


@pytest.fixture
def embedding(writer: Writer, sidecar: str) -> Writer:
    """An index whose documents are embedded."""
    writer.prepare({"url": sidecar})
    return writer


def test_a_document_is_embedded_and_found_by_its_vector(embedding: Writer) -> None:
    embedding.client.index(index=embedding.index, id="1", body={"title": "A", "text": "cold water"})
    stored = embedding.source("1")
    assert is_embedded(stored)
    near = {"knn": {META.vector_field: {"vector": stored[META.vector_field], "k": 1}}}
    assert embedding.ids(near) == {"1"}


def test_a_bulk_request_is_embedded_in_few_calls(embedding: Writer, sidecar: str) -> None:
    items = embedding.bulk(documents(200))
    assert {item["status"] for item in items.values()} == {201}
    assert all(is_embedded(embedding.source(str(number))) for number in range(0, 200, 7))
    assert calls(sidecar) == 4  # of 64, 64, 64 and 8 texts


def test_an_update_is_embedded_where_its_text_changes(embedding: Writer, sidecar: str) -> None:
    embedding.client.index(index=embedding.index, id="1", body={"text": "cold water"})
    embedding.client.update(index=embedding.index, id="1", body={"doc": {"views": 7}})
    assert calls(sidecar) == 1
    embedding.client.update(index=embedding.index, id="1", body={"doc": {"text": "warm water"}})
    assert calls(sidecar) == 2
    assert embedding.source("1")["views"] == 7
    assert is_embedded(embedding.source("1"))


def test_a_bulk_update_runs_no_pipeline_and_its_hash_tells(embedding: Writer) -> None:
    embedding.client.index(index=embedding.index, id="1", body={"text": "cold water"})
    before = embedding.source("1")
    lines = [{"update": {"_id": "1"}}, {"doc": {"text": "warm water"}}]
    answer = embedding.client.bulk(body=lines, index=embedding.index)
    assert not answer["errors"]
    assert embedding.source("1") == {**before, "text": "warm water"}
    assert before[META.hash_field] != vector_hash(META.fingerprint, "warm water")


def test_what_is_embedded_is_copied_without_a_call(embedding: Writer, sidecar: str) -> None:
    embedding.bulk(documents(100))
    before, copy = calls(sidecar), f"{embedding.index}-copy"
    body = index_body(EngineKind.OPENSEARCH, META, default_pipeline=embedding.index, replicas=0)
    embedding.client.indices.create(index=copy, body=body)
    copied = embedding.client.reindex(
        body={"source": {"index": embedding.index}, "dest": {"index": copy}}, refresh=True
    )
    assert (copied["created"], copied["failures"]) == (100, [])
    assert calls(sidecar) == before
    assert is_embedded(embedding.source("42", copy))
    embedding.client.update_by_query(index=copy, refresh=True)
    assert calls(sidecar) == before


def test_it_is_made_anew_where_that_is_asked_for(writer: Writer, sidecar: str) -> None:
    writer.prepare({"url": sidecar, "skip_existing": False})
    for _ in range(2):
        writer.client.index(index=writer.index, id="1", body={"text": "cold water"})
    writer.client.update(index=writer.index, id="1", body={"doc": {"views": 7}})
    assert calls(sidecar) == 3


def test_a_document_without_text_has_no_vector(embedding: Writer, sidecar: str) -> None:
    embedding.client.index(index=embedding.index, id="1", body={"text": "cold water"})
    embedding.bulk({"2": {"number": 3}, "3": {"title": " ", "text": None}})
    embedding.client.update(index=embedding.index, id="1", body={"doc": {"text": ""}})
    for id_ in ("1", "2", "3"):
        assert not {META.vector_field, META.hash_field} & set(embedding.source(id_))
    assert calls(sidecar) == 1


def test_documents_handed_over_one_by_one_travel_together(writer: Writer, sidecar: str) -> None:
    """As the engine does where a processor has a condition, or is in a pipeline of a pipeline."""
    writer.prepare({"url": sidecar, "if": "ctx.title != 'Number 3'"})
    items = writer.bulk(documents(300))
    assert {item["status"] for item in items.values()} == {201}
    assert META.vector_field not in writer.source("3")
    assert is_embedded(writer.source("299"))
    assert calls(sidecar) < 60


def test_a_long_text_is_cut_and_one_beyond_all_limits_fails_alone(
    writer: Writer, encoder: WordEncoder
) -> None:
    with serving(create_app(SidecarOptions(max_body_bytes=100_000), encoder)) as url:
        writer.prepare({"url": url})
        items = writer.bulk(
            {**documents(40), "long": {"text": "word " * 9000}, "huge": {"text": "word " * 90_000}}
        )
    assert {id_ for id_, item in items.items() if "error" in item} == {"huge"}
    assert items["huge"]["status"] == 400
    assert "HTTP 413" in items["huge"]["error"]["reason"]
    assert is_embedded(writer.source("long"))


def test_texts_are_read_as_python_reads_them(writer: Writer, sidecar: str) -> None:
    mapping = {"dynamic": False, "_meta": META.to_mapping(), "properties": VECTOR}
    writer.client.indices.create(index=writer.index, body={"mappings": mapping})
    for number, case in enumerate(CASES):
        writer.pipeline([{PROCESSOR: {"url": sidecar, "text_fields": case["fields"]}}])
        body, params = json.dumps(case["source"]), {"pipeline": writer.index}
        writer.client.index(index=writer.index, id=str(number), body=body, params=params)
        hashed = case["hash"].replace("f:", f"{META.fingerprint}:") if case["text"] else None
        assert writer.source(str(number)).get(META.hash_field) == hashed, case["name"]


def test_it_can_be_tried_out(embedding: Writer, sidecar: str) -> None:
    document = {"_index": embedding.index, "_id": "1", "_source": {"text": "cold water"}}
    body = {"pipeline": {"processors": [{PROCESSOR: {"url": sidecar}}]}, "docs": [document]}
    answer = embedding.client.ingest.simulate(body=body, params={"verbose": "true"})
    (result,) = answer["docs"][0]["processor_results"]
    assert is_embedded(result["doc"]["_source"])


def test_an_index_made_by_its_first_document_is_as_its_template_says(
    writer: Writer, sidecar: str
) -> None:
    writer.pipeline([{PROCESSOR: {"url": sidecar}}])
    body = index_body(EngineKind.OPENSEARCH, META, replicas=0, default_pipeline=writer.index)
    template = {"index_patterns": [f"{writer.index}*"], "template": body}
    writer.client.indices.put_index_template(name=writer.index, body=template)
    try:
        assert {one["status"] for one in writer.bulk(documents(3)).values()} == {201}
    finally:
        writer.client.indices.delete_index_template(name=writer.index)
    assert is_embedded(writer.source("2"))


def test_documents_may_be_written_by_an_alias(embedding: Writer) -> None:
    alias = f"{embedding.index}-alias"
    embedding.client.indices.put_alias(index=embedding.index, name=alias)
    assert {one["status"] for one in embedding.bulk(documents(3), alias).values()} == {201}
    assert is_embedded(embedding.source("2"))


def test_several_fields_have_vectors_of_their_own(writer: Writer, sidecar: str) -> None:
    writer.pipeline([{PROCESSOR: {"url": sidecar, "field_map": {"a": "title", "o.b": ["text"]}}}])
    vector = {"type": "knn_vector", "dimension": META.dimensions}
    properties = {"a": vector, "o": {"properties": {"b": vector}}}
    body = {
        "settings": {"index": {"default_pipeline": writer.index}},
        "mappings": {"_meta": META.to_mapping(), "properties": properties},
    }
    writer.client.indices.create(index=writer.index, body=body)
    writer.bulk({"1": {"title": "cold", "text": "water"}})
    stored = writer.source("1")
    for text, vector, hashed in (
        ("cold", stored["a"], stored["a_hash"]),
        ("water", stored["o"]["b"], stored["o"]["b_hash"]),
    ):
        source = {"text": text, META.vector_field: vector, META.hash_field: hashed}
        assert is_embedded(source)


def test_a_sidecar_that_is_not_there_is_reported_at_once(writer: Writer, nowhere: str) -> None:
    writer.prepare({"url": nowhere})
    with pytest.raises(TransportError) as alone:
        writer.client.index(index=writer.index, id="1", body={"text": "cold water"})
    assert alone.value.status_code == 503
    assert "cannot be reached" in alone.value.info["error"]["reason"]
    assert "cannot be reached" in refused(writer.bulk(documents(60)), 503)
    assert writer.ids() == set()


def test_an_ignored_failure_leaves_no_stale_vector(embedding: Writer, nowhere: str) -> None:
    embedding.client.index(index=embedding.index, id="1", body={"text": "cold water"})
    embedding.pipeline([{PROCESSOR: {"url": nowhere, "ignore_failure": True}}])
    items = embedding.bulk({**documents(50), "none": {"number": 1}})
    assert {item["status"] for item in items.values()} == {200, 201}
    embedding.client.update(index=embedding.index, id="1", body={"doc": {"text": "warm water"}})
    assert embedding.source("1") == {"title": "Number 1", "text": "warm water"}
    assert embedding.ids({"exists": {"field": META.vector_field}}) == set()


def test_what_follows_a_failure_runs_for_the_documents_that_failed(
    writer: Writer, sidecar: str, encoder: WordEncoder
) -> None:
    def spoil(vectors: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, Any]:
        return (
            vectors * np.nan if any("poison" in text for text in encoder.batches[-1]) else vectors
        )

    encoder.spoil = spoil
    marking = {"set": {"field": "why", "value": "{{ _ingest.on_failure_message }}"}}
    writer.prepare({"url": sidecar, "batch_size": 1, "max_concurrent": 1, "on_failure": [marking]})
    items = writer.bulk({**documents(5), "bad": {"text": "poison"}})
    assert {item["status"] for item in items.values()} == {201}
    assert "HTTP 502" in writer.source("bad")["why"]
    assert META.vector_field not in writer.source("bad")
    assert all(is_embedded(writer.source(str(number))) for number in range(5))


def test_not_a_number_is_never_indexed(embedding: Writer, encoder: WordEncoder) -> None:
    encoder.spoil = lambda vectors: vectors * np.nan
    assert "HTTP 502" in refused(embedding.bulk(documents(10)), 502)
    assert embedding.ids() == set()


def test_vectors_of_another_length_are_refused_with_a_sentence(
    writer: Writer, sidecar: str
) -> None:
    writer.prepare({"url": sidecar}, META.model_copy(update={"dimensions": 8}))
    reason = refused(writer.bulk(documents(3)), 400)
    assert (
        f"have 16 dimensions and field [rankside_vector] of index [{writer.index}] has 8" in reason
    )
    assert writer.ids() == set()


def test_vectors_of_another_model_are_refused_with_a_sentence(writer: Writer, sidecar: str) -> None:
    writer.prepare({"url": sidecar}, META.model_copy(update={"fingerprint": "beef"}))
    reason = refused(writer.bulk(documents(3)), 400)
    assert "serves another model than the one with fingerprint beef" in reason
    assert writer.ids() == set()


def test_an_index_that_is_being_re_embedded_takes_vectors_of_its_new_model(
    writer: Writer, sidecar: str
) -> None:
    writer.prepare({"url": sidecar}, META.model_copy(update={"fingerprint": ""}))
    writer.bulk(documents(3))
    assert is_embedded(writer.source("2"))


def test_an_overloaded_sidecar_is_waited_for(writer: Writer, encoder: WordEncoder) -> None:
    with serving(create_app(SidecarOptions(queue_tokens=600), encoder)) as url:
        encoder.before = until_one_is_refused(url)
        writer.prepare({"url": url, "batch_size": 32})
        items = writer.bulk(documents(1000))
        assert calls(url, status=429) > 0
    assert {item["status"] for item in items.values()} == {201}
    assert len(writer.ids({"exists": {"field": META.vector_field}})) == 1000


def test_a_sidecar_that_loads_its_model_is_waited_for(writer: Writer, encoder: WordEncoder) -> None:
    loaded = threading.Event()

    def load() -> WordEncoder:
        assert loaded.wait(timeout=60)
        return encoder

    with serving(create_app(SidecarOptions(), load)) as url:
        writer.prepare({"url": url})
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
    gate = Gate()
    encoder.before = gate
    writer.prepare({"url": sidecar, "timeout": "500ms"})
    try:
        assert "did not answer within 500 ms" in refused(writer.bulk(documents(10)), 504)
    finally:
        gate.open()


def test_many_writers_at_once_are_all_served(embedding: Writer) -> None:
    failed: list[str] = []

    def write(number: int) -> None:
        with OpenSearch(embedding.client.transport.hosts, timeout=60) as client:
            mine = {f"{number}-{id_}": source for id_, source in documents(100).items()}
            items = Writer(client, embedding.index).bulk(mine)
        failed.extend(id_ for id_, item in items.items() if item["status"] != 201)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    assert len(embedding.ids({"exists": {"field": META.vector_field}})) == 800


@pytest.mark.parametrize(
    ("processor", "why"),
    [
        ({}, "[url] is missing"),
        ({"url": "http://a:1", "model": "m"}, "doesn't support one or more provided configuration"),
        ({"url": "http://a:1", "auth": "nobody"}, "the keystore has no rankside.auth.nobody.key"),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused(
    writer: Writer, processor: dict[str, Any], why: str
) -> None:
    with pytest.raises(TransportError) as error:
        writer.pipeline([{PROCESSOR: processor}])
    assert error.value.status_code == 400
    assert why in str(error.value.info)
