"""The query `rankside_vector` on a real node, on every form of vector field but a licensed one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from tests.integration.plugin.vector_queries import (
    ASKED,
    COUNT,
    DIMENSIONS,
    OURS,
    SCORES,
    VECTORS,
    WITH_VECTOR,
    assert_cosines,
    assert_rescored,
    bulk_lines,
    properties,
    query,
    rescored,
    scores,
)

MakeIndex = Callable[[Mapping[str, Any]], str]

# And bbq_disk, into which a node without a licence writes nothing.
INDEXED_AS = (
    *("hnsw", "flat", "int8_hnsw", "int8_flat", "int4_hnsw", "int4_flat"),
    *("bbq_hnsw", "bbq_flat"),
)
FLOATS = {
    **{kind: {"index_options": {"type": kind}} for kind in INDEXED_AS},
    "euclidean": {"similarity": "l2_norm"},
    "inner product": {"similarity": "max_inner_product", "index_options": {"type": "int8_hnsw"}},
    "not indexed": {"index": False},
}
BYTES = {
    "bytes": {"element_type": "byte", "index_options": {"type": "hnsw"}},
    "flat bytes": {"element_type": "byte", "index_options": {"type": "flat"}},
    "bytes, not indexed": {"element_type": "byte", "index": False},
}
HALVES = {
    "halves, euclidean": {"element_type": "bfloat16", "similarity": "l2_norm"},
    "halves, not indexed": {"element_type": "bfloat16", "index": False},
}
FORMS: dict[str, dict[str, Any]] = {**FLOATS, **BYTES, **HALVES}
# The engine makes them unit vectors before it cuts off half of each number.
UNIT_HALVES = {"element_type": "bfloat16", "similarity": "cosine"}
LAST_BIT_OF_HALVES = 2.0**-8


@pytest.fixture
def make_index(elasticsearch: Elasticsearch) -> Iterator[MakeIndex]:
    """Makes an index of `COUNT` documents in three segments; a fourth of them has no vector."""
    made: list[str] = []

    def make(mapping: Mapping[str, Any]) -> str:
        name = f"vectors-{len(made)}"
        vector = {"type": "dense_vector", "dims": DIMENSIONS, **mapping}
        elasticsearch.indices.create(
            index=name,
            settings={"number_of_shards": 1, "number_of_replicas": 0},
            mappings={"properties": properties(vector)},
        )
        made.append(name)
        for start in range(0, COUNT, 20):
            lines = bulk_lines(start, start + 20)
            written = elasticsearch.bulk(index=name, operations=lines, refresh=True)
            assert not written["errors"], written["items"][-1]
        return name

    yield make
    for name in made:
        elasticsearch.indices.delete(index=name)


def search(client: Elasticsearch, index: str, **body: Any) -> list[dict[str, Any]]:
    answer = client.search(index=index, source=False, **{"size": 100, **body})
    return list(answer["hits"]["hits"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_vector_field_is_compared_exactly(
    elasticsearch: Elasticsearch, make_index: MakeIndex, form: str
) -> None:
    index = make_index(FORMS[form])
    assert_cosines(scores(search(elasticsearch, index, query=query())), WITH_VECTOR)
    ours = query(hash_field="hash", fingerprint="ours")
    assert_cosines(scores(search(elasticsearch, index, query=ours)), OURS)


def test_unit_vectors_of_halves_are_compared_as_they_are_stored(
    elasticsearch: Elasticsearch, make_index: MakeIndex
) -> None:
    found = scores(search(elasticsearch, make_index(UNIT_HALVES), query=query()))
    assert_cosines(found, WITH_VECTOR, within=LAST_BIT_OF_HALVES)


@pytest.mark.parametrize("form", ["bbq_hnsw", "not indexed"])
def test_a_rescore_puts_what_it_cannot_compare_behind_in_first_stage_order(
    elasticsearch: Elasticsearch, make_index: MakeIndex, form: str
) -> None:
    index, body = make_index(FORMS[form]), rescored()
    first = search(elasticsearch, index, query=body["query"])
    assert_rescored(search(elasticsearch, index, **body), first)


def test_it_rescores_within_a_retriever(
    elasticsearch: Elasticsearch, make_index: MakeIndex
) -> None:
    index, body = make_index(FORMS["int8_hnsw"]), rescored()
    first = search(elasticsearch, index, query=body["query"])
    inner = {"standard": {"query": body["query"]}}
    retriever = {"rescorer": {"retriever": inner, "rescore": body["rescore"]}}
    assert_rescored(search(elasticsearch, index, retriever=retriever, size=COUNT), first)


def test_the_vector_may_be_base64_the_field_an_alias_and_the_query_a_part_of_another(
    elasticsearch: Elasticsearch, make_index: MakeIndex
) -> None:
    index = make_index(FORMS["int8_hnsw"])
    base = base64.b64encode(ASKED.astype("<f4").tobytes()).decode()
    named = query(vector=base, field="named", boost=3, _name="near")
    both = {"bool": {"must": [named], "filter": [{"ids": {"values": ["1", "2", "4"]}}]}}
    hits = search(elasticsearch, index, query=both)
    assert {hit["_id"]: hit["matched_queries"] for hit in hits} == {"1": ["near"], "2": ["near"]}
    for hit in hits:
        assert hit["_score"] == pytest.approx(3 * SCORES[int(hit["_id"])], abs=1e-4)


@pytest.mark.parametrize(
    ("form", "read"),
    [("bytes", "byte"), ("int8_hnsw", "float32"), ("halves, not indexed", "bfloat16 doc values")],
)
def test_an_explanation_says_what_was_compared(
    elasticsearch: Elasticsearch, make_index: MakeIndex, form: str, read: str
) -> None:
    index = make_index(FORMS[form])
    asked = query(hash_field="hash", fingerprint="ours")

    def explained(number: int) -> tuple[bool, str]:
        answer = elasticsearch.explain(index=index, id=str(number), query=asked)
        return answer["matched"], str(answer["explanation"])

    assert explained(1)[0]
    assert "cosine of the given vector and the document's in field v" in explained(1)[1]
    assert f"{DIMENSIONS} dimensions, {read}" in explained(1)[1]
    assert not explained(4)[0]
    assert "no vector in field v" in explained(4)[1]
    assert not explained(2)[0]
    assert "field hash names another model than ours" in explained(2)[1]


@pytest.mark.parametrize("field", ["v.nothing", "unmapped"])
def test_a_field_that_is_not_mapped_matches_nothing(
    elasticsearch: Elasticsearch, make_index: MakeIndex, field: str
) -> None:
    index = make_index(FORMS["int8_hnsw"])
    assert search(elasticsearch, index, query=query(field=field)) == []


def test_a_field_whose_dimension_no_document_has_set_matches_nothing(
    elasticsearch: Elasticsearch,
) -> None:
    elasticsearch.indices.create(
        index="unset",
        settings={"number_of_replicas": 0},
        mappings={"properties": {"v": {"type": "dense_vector"}, "text": {"type": "text"}}},
    )
    elasticsearch.index(index="unset", id="0", document={"text": "word"}, refresh=True)
    assert search(elasticsearch, "unset", query=query()) == []
    document = {"v": VECTORS[1].tolist()}
    elasticsearch.index(index="unset", id="1", document=document, refresh=True)
    assert_cosines(scores(search(elasticsearch, "unset", query=query())), {1})
    elasticsearch.indices.delete(index="unset")


def test_a_hash_field_that_is_not_mapped_leaves_nothing_out(
    elasticsearch: Elasticsearch, make_index: MakeIndex
) -> None:
    index = make_index(FORMS["int8_hnsw"])
    asked = query(hash_field="unmapped", fingerprint="ours")
    assert_cosines(scores(search(elasticsearch, index, query=asked)), WITH_VECTOR)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vector": [1, 2]}, "the vector has 2 dimensions and those of field v have 64"),
        ({"field": "text"}, "field text is text, not dense_vector"),
        ({"field": "_id"}, "field _id is _id, not dense_vector"),
        ({"hash_field": "text", "fingerprint": "a"}, "field text is no keyword with doc values"),
        ({"hash_field": "hash"}, "needs [hash_field] and [fingerprint] both"),
        ({"vector": "abc"}, "give base64 of little-endian float32"),
        ({"vector": [0.0] * DIMENSIONS}, "a vector is NaN, infinite or zero"),
    ],
)
@pytest.mark.parametrize("form", ["int8_hnsw", "not indexed"])
def test_a_wrong_query_is_refused_with_the_reason(
    elasticsearch: Elasticsearch,
    make_index: MakeIndex,
    form: str,
    options: dict[str, Any],
    told: str,
) -> None:
    index = make_index(FORMS[form])
    with pytest.raises(BadRequestError) as refused:
        search(elasticsearch, index, query=query(**options))
    assert told in str(refused.value.body)


@pytest.mark.parametrize("indexed", [True, False])
def test_bit_vectors_are_refused(elasticsearch: Elasticsearch, indexed: bool) -> None:
    vector = {
        "type": "dense_vector",
        "dims": DIMENSIONS,
        "element_type": "bit",
        "index": indexed,
    }
    elasticsearch.indices.create(
        index="bits",
        settings={"number_of_replicas": 0},
        mappings={"properties": {"v": vector}},
    )
    with pytest.raises(BadRequestError, match="field v holds bit vectors"):
        search(elasticsearch, "bits", query=query())
    elasticsearch.indices.delete(index="bits")


def test_vectors_of_nested_documents_are_compared_by_a_nested_query(
    elasticsearch: Elasticsearch,
) -> None:
    vector = {"type": "dense_vector", "dims": DIMENSIONS}
    elasticsearch.indices.create(
        index="nested",
        settings={"number_of_replicas": 0},
        mappings={"properties": {"parts": {"type": "nested", "properties": {"v": vector}}}},
    )
    document = {"parts": [{"v": VECTORS[1].tolist()}, {"v": VECTORS[2].tolist()}]}
    elasticsearch.index(index="nested", id="0", document=document, refresh=True)
    inner = query(field="parts.v")
    assert search(elasticsearch, "nested", query=inner) == []
    nested = {"nested": {"path": "parts", "score_mode": "max", "query": inner}}
    (hit,) = search(elasticsearch, "nested", query=nested)
    assert hit["_score"] == pytest.approx(SCORES[[1, 2]].max(), abs=1e-5)
    elasticsearch.indices.delete(index="nested")
