"""The query `rankside_vector` on a real node, on every form of vector field that it can hold."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

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

MakeIndex = Callable[..., str]


def lucene(space: str = "cosinesimil", **parameters: Any) -> dict[str, Any]:
    method = {"name": "hnsw", "engine": "lucene", "space_type": space, "parameters": parameters}
    return {"method": method}


def quantised(bits: int) -> dict[str, Any]:
    return lucene(encoder={"name": "sq", "parameters": {"bits": bits}})


FLAT = {"method": {"name": "flat", "engine": "lucene", "space_type": "cosinesimil"}}
ON_DISK = {"mode": "on_disk", "engine": "lucene", "space_type": "cosinesimil"}
IN_A_GRAPH = {
    "cosine": lucene(),
    "euclidean": lucene("l2"),
    "inner product": lucene("innerproduct"),
    "bytes": {**lucene(), "data_type": "byte"},
    "quantised to one bit": quantised(1),
    "quantised to seven bits": quantised(7),
    "flat": FLAT,
    "on disk": ON_DISK,
    "graph, doc values and stored": {**lucene(), "doc_values": True, "store": True},
}
WITHOUT_ONE = {"doc values": {}, "byte doc values": {"data_type": "byte"}}


@pytest.fixture
def make_index(opensearch: OpenSearch) -> Iterator[MakeIndex]:
    """Makes an index of `COUNT` documents in three segments; a fourth of them has no vector."""
    made: list[str] = []

    def make(mapping: Mapping[str, Any], *, knn: bool = True) -> str:
        name = f"vectors-{len(made)}"
        settings = {"knn": knn, "number_of_shards": 1, "number_of_replicas": 0}
        vector = {"type": "knn_vector", "dimension": DIMENSIONS, **mapping}
        body = {"settings": {"index": settings}, "mappings": {"properties": properties(vector)}}
        opensearch.indices.create(index=name, body=body)
        made.append(name)
        for start in range(0, COUNT, 20):
            operations = bulk_lines(start, start + 20)
            assert not opensearch.bulk(index=name, body=operations, refresh=True)["errors"]
        return name

    yield make
    for name in made:
        opensearch.indices.delete(index=name)


def search(client: OpenSearch, index: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = client.search(index=index, body={"size": 100, "_source": False, **body})
    return list(answer["hits"]["hits"])


@pytest.mark.parametrize("form", [*IN_A_GRAPH, *WITHOUT_ONE])
def test_every_form_of_vector_field_is_compared_exactly(
    opensearch: OpenSearch, make_index: MakeIndex, form: str
) -> None:
    mapping = IN_A_GRAPH.get(form, WITHOUT_ONE.get(form))
    index = make_index(mapping, knn=form in IN_A_GRAPH)
    assert_cosines(scores(search(opensearch, index, {"query": query()})), WITH_VECTOR)
    ours = query(hash_field="hash", fingerprint="ours")
    assert_cosines(scores(search(opensearch, index, {"query": ours})), OURS)


@pytest.mark.parametrize("form", ["cosine", "doc values"])
def test_a_rescore_puts_what_it_cannot_compare_behind_in_first_stage_order(
    opensearch: OpenSearch, make_index: MakeIndex, form: str
) -> None:
    mapping = IN_A_GRAPH.get(form, WITHOUT_ONE.get(form))
    index = make_index(mapping, knn=form in IN_A_GRAPH)
    body = rescored()
    first = search(opensearch, index, {"query": body["query"]})
    assert_rescored(search(opensearch, index, body), first)


def test_the_vector_may_be_base64_the_field_an_alias_and_the_query_a_part_of_another(
    opensearch: OpenSearch, make_index: MakeIndex
) -> None:
    index = make_index(IN_A_GRAPH["cosine"])
    base = base64.b64encode(ASKED.astype("<f4").tobytes()).decode()
    named = query(vector=base, field="named", boost=3, _name="near")
    both = {"bool": {"must": [named], "filter": [{"ids": {"values": ["1", "2", "4"]}}]}}
    hits = search(opensearch, index, {"query": both})
    assert {hit["_id"]: hit["matched_queries"] for hit in hits} == {"1": ["near"], "2": ["near"]}
    for hit in hits:
        assert hit["_score"] == pytest.approx(3 * SCORES[int(hit["_id"])], abs=1e-4)


def test_an_explanation_says_what_was_compared(
    opensearch: OpenSearch, make_index: MakeIndex
) -> None:
    index = make_index(IN_A_GRAPH["bytes"])
    asked = query(hash_field="hash", fingerprint="ours")

    def explained(number: int) -> tuple[bool, str]:
        answer = opensearch.explain(index=index, id=str(number), body={"query": asked})
        return answer["matched"], str(answer["explanation"])

    assert explained(1)[0]
    assert "cosine of the given vector and the document's in field v" in explained(1)[1]
    assert f"{DIMENSIONS} dimensions, byte" in explained(1)[1]
    assert explained(4) == (False, explained(4)[1])
    assert "no vector in field v" in explained(4)[1]
    assert explained(2) == (False, explained(2)[1])
    assert "field hash names another model than ours" in explained(2)[1]


@pytest.mark.parametrize("field", ["v.nothing", "unmapped"])
def test_a_field_that_is_not_mapped_matches_nothing(
    opensearch: OpenSearch, make_index: MakeIndex, field: str
) -> None:
    index = make_index(IN_A_GRAPH["cosine"])
    assert search(opensearch, index, {"query": query(field=field)}) == []


def test_a_hash_field_that_is_not_mapped_leaves_nothing_out(
    opensearch: OpenSearch, make_index: MakeIndex
) -> None:
    index = make_index(IN_A_GRAPH["cosine"])
    asked = query(hash_field="unmapped", fingerprint="ours")
    assert_cosines(scores(search(opensearch, index, {"query": asked})), WITH_VECTOR)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vector": [1, 2]}, "the vector has 2 dimensions and those of field v have 64"),
        ({"field": "text"}, "field text is text, not knn_vector"),
        ({"field": "_id"}, "field _id is _id, not knn_vector"),
        ({"hash_field": "text", "fingerprint": "a"}, "field text is no keyword with doc values"),
        ({"hash_field": "hash"}, "needs [hash_field] and [fingerprint] both"),
        ({"vector": "abc"}, "give base64 of little-endian float32"),
        ({"vector": [0.0] * DIMENSIONS}, "a vector is NaN, infinite or zero"),
    ],
)
def test_a_wrong_query_is_refused_with_the_reason(
    opensearch: OpenSearch, make_index: MakeIndex, options: dict[str, Any], told: str
) -> None:
    index = make_index(IN_A_GRAPH["cosine"])
    with pytest.raises(RequestError) as refused:
        search(opensearch, index, {"query": query(**options)})
    assert refused.value.status_code == 400
    assert told in str(refused.value.info)


def test_binary_vectors_are_refused(opensearch: OpenSearch) -> None:
    opensearch.indices.create(
        index="binary",
        body={
            "settings": {"index": {"number_of_replicas": 0}},
            "mappings": {
                "properties": {
                    "v": {"type": "knn_vector", "dimension": DIMENSIONS, "data_type": "binary"}
                }
            },
        },
    )
    with pytest.raises(RequestError, match="field v holds binary vectors"):
        search(opensearch, "binary", {"query": query()})
    opensearch.indices.delete(index="binary")


def test_vectors_of_nested_documents_are_compared_by_a_nested_query(
    opensearch: OpenSearch,
) -> None:
    vector = {"type": "knn_vector", "dimension": DIMENSIONS, **lucene()}
    parts = {"type": "nested", "properties": {"v": vector}}
    body = {
        "settings": {"index": {"knn": True, "number_of_replicas": 0}},
        "mappings": {"properties": {"parts": parts}},
    }
    opensearch.indices.create(index="nested", body=body)
    source = {"parts": [{"v": VECTORS[1].tolist()}, {"v": VECTORS[2].tolist()}]}
    opensearch.index(index="nested", id="0", body=source, refresh=True)
    inner = query(field="parts.v")
    assert search(opensearch, "nested", {"query": inner}) == []
    nested = {"nested": {"path": "parts", "score_mode": "max", "query": inner}}
    (hit,) = search(opensearch, "nested", {"query": nested})
    assert hit["_score"] == pytest.approx(SCORES[[1, 2]].max(), abs=1e-5)
    opensearch.indices.delete(index="nested")
