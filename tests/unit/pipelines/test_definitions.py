from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.definitions import (
    VectorOptions,
    index_body,
    index_template,
    mapping_properties,
    vector_mapping,
)
from plugin.ranking.errors import SettingsError

KINDS = list(EngineKind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mapping_says_what_it_holds_and_can_be_read_again(
    kind: EngineKind, meta: IndexMeta
) -> None:
    assert IndexMeta.of_mapping(index_body(kind, meta)["mappings"]) == meta


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_ours_is_mapped(kind: EngineKind, meta: IndexMeta) -> None:
    properties = mapping_properties(kind, meta)
    assert set(properties) == {"title", "text", "rankside_vector", "rankside_hash"}
    assert properties["rankside_hash"] == {"type": "keyword", "index": False}


def test_opensearch_never_gets_an_engine_that_needs_native_libraries(meta: IndexMeta) -> None:
    vector = vector_mapping(EngineKind.OPENSEARCH, meta.dimensions)
    assert vector["method"] == {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    assert index_body(EngineKind.OPENSEARCH, meta)["settings"]["index"]["knn"] is True


def test_the_graph_is_left_to_the_engine_unless_it_is_set() -> None:
    options = VectorOptions(knn_engine="faiss", quantization="bbq_hnsw", m=32)
    opensearch = vector_mapping(EngineKind.OPENSEARCH, 8, options)
    elasticsearch = vector_mapping(EngineKind.ELASTICSEARCH, 8, options)
    assert opensearch["method"]["parameters"] == {"m": 32}
    assert opensearch["method"]["engine"] == "faiss"
    assert elasticsearch["index_options"] == {"type": "bbq_hnsw", "m": 32}


@pytest.mark.parametrize("wrong", [{"m": 1}, {"ef_construction": 0}, {"knn_engine": "nmslib"}])
def test_vector_options_are_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VectorOptions.model_validate(wrong)


@pytest.mark.parametrize(("kind", "most"), [(KINDS[0], 16_000), (KINDS[1], 4096)])
def test_vectors_that_the_engine_cannot_index_are_refused(kind: EngineKind, most: int) -> None:
    assert vector_mapping(kind, most)
    with pytest.raises(SettingsError, match=f"at most {most} dimensions, not {most + 1}"):
        vector_mapping(kind, most + 1)


def test_extra_properties_add_and_refine_but_never_touch_our_fields(meta: IndexMeta) -> None:
    extra = {
        "text": {"type": "text", "analyzer": "english"},
        "price": {"type": "float"},
        "rankside_vector": {"type": "keyword"},
        "rankside_hash": {"type": "text"},
    }
    plain = mapping_properties(EngineKind.OPENSEARCH, meta)
    properties = mapping_properties(EngineKind.OPENSEARCH, meta, extra=extra)
    assert properties["text"] == {"type": "text", "analyzer": "english"}
    assert properties["price"] == {"type": "float"}
    assert properties["rankside_vector"] == plain["rankside_vector"]
    assert properties["rankside_hash"] == plain["rankside_hash"]


def test_a_dotted_field_becomes_a_property_of_an_object(meta: IndexMeta) -> None:
    dotted = meta.model_copy(update={"text_fields": ("page.title", "page.body")})
    page = mapping_properties(EngineKind.ELASTICSEARCH, dotted)["page"]
    assert page == {"properties": {"title": {"type": "text"}, "body": {"type": "text"}}}


def test_settings_hold_what_is_given_and_nothing_else(meta: IndexMeta) -> None:
    plain = index_body(EngineKind.ELASTICSEARCH, meta)
    assert plain["settings"]["index"] == {"number_of_shards": 1}
    given = index_body(
        EngineKind.ELASTICSEARCH, meta, shards=3, replicas=0, default_pipeline="embed"
    )
    assert given["settings"]["index"] == {
        "number_of_shards": 3,
        "number_of_replicas": 0,
        "default_pipeline": "embed",
    }


def test_a_template_is_marked_as_ours(meta: IndexMeta) -> None:
    body = index_body(EngineKind.OPENSEARCH, meta)
    template = index_template(["docs-*", "notes-*"], body, priority=7)
    assert template == {
        "index_patterns": ["docs-*", "notes-*"],
        "priority": 7,
        "template": body,
        "_meta": {"managed_by": "rankside"},
    }
