"""What an index that Rankside can rerank looks like, as data: mapping, settings, index template.

Sources: the engines' pages on `knn_vector`, `dense_vector`, `keyword` and index templates, and runs
on OpenSearch 3.6 and Elasticsearch 9.5 nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from connectors.options import Options
from plugin.ranking.errors import SettingsError

MAX_DIMENSIONS = {EngineKind.OPENSEARCH: 16_000, EngineKind.ELASTICSEARCH: 4096}
MANAGED_BY = {"managed_by": "rankside"}

# Hashes are only counted and compared, which doc values do; a term a document would be wasted.
_HASH_MAPPING = {"type": "keyword", "index": False}


class VectorOptions(Options):
    """How the document vectors are indexed. Rescoring reads them exactly, whatever is set here."""

    knn_engine: Literal["lucene", "faiss"] = Field(
        default="lucene", description="OpenSearch: lucene needs no native library, faiss does."
    )
    quantization: Literal["hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw"] = Field(
        default="int8_hnsw", description="Elasticsearch: index_options.type."
    )
    m: int | None = Field(
        default=None, ge=2, le=512, description="Links of a graph node; None: the engine's default."
    )
    ef_construction: int | None = Field(
        default=None, ge=1, le=3200, description="Candidates at build; None: the engine's default."
    )

    @property
    def graph(self) -> dict[str, int]:
        """The HNSW parameters that are set."""
        parameters = {"m": self.m, "ef_construction": self.ef_construction}
        return {name: value for name, value in parameters.items() if value is not None}


DEFAULT_VECTORS = VectorOptions()


def mapping_properties(
    kind: EngineKind,
    meta: IndexMeta,
    *,
    vectors: VectorOptions = DEFAULT_VECTORS,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``mappings.properties``: the text fields, the vector field and the hash field of ``meta``.

    ``extra`` adds properties or says more of a text field (an analyzer); it cannot change the
    vector field or the hash field.

    Raises:
        SettingsError: the engine cannot index vectors of that length.
    """
    properties: dict[str, Any] = {}
    for name in meta.text_fields:
        _put(properties, name, {"type": "text"})
    for name, mapping in (extra or {}).items():
        _put(properties, name, mapping)
    _put(properties, meta.vector_field, vector_mapping(kind, meta.dimensions, vectors))
    _put(properties, meta.hash_field, _HASH_MAPPING)
    return properties


def vector_mapping(
    kind: EngineKind, dimensions: int, vectors: VectorOptions = DEFAULT_VECTORS
) -> dict[str, Any]:
    """The mapping of a field for document vectors compared by cosine.

    Raises:
        SettingsError: the engine cannot index vectors of that length.
    """
    if dimensions > MAX_DIMENSIONS[kind]:
        raise SettingsError(
            f"{kind} indexes vectors of at most {MAX_DIMENSIONS[kind]} dimensions, not "
            f"{dimensions}; choose a smaller model or cut its vectors"
        )
    return _VECTOR_MAPPINGS[kind](dimensions, vectors)


def index_body(
    kind: EngineKind,
    meta: IndexMeta,
    *,
    shards: int = 1,
    replicas: int | None = None,
    vectors: VectorOptions = DEFAULT_VECTORS,
    extra: Mapping[str, Any] | None = None,
    default_pipeline: str | None = None,
) -> dict[str, Any]:
    """The body that creates an index: settings and mappings with ``_meta.rankside``.

    ``replicas`` None leaves the engine's default. ``default_pipeline`` names an ingest pipeline
    that embeds what is written without going through Rankside.

    Raises:
        SettingsError: the engine cannot index vectors of that length.
    """
    index: dict[str, Any] = {"number_of_shards": shards}
    if replicas is not None:
        index["number_of_replicas"] = replicas
    if kind is EngineKind.OPENSEARCH:
        # Without it a knn_vector is stored, but no graph is built and `knn` queries fail.
        index["knn"] = True
    if default_pipeline is not None:
        index["default_pipeline"] = default_pipeline
    mappings = {
        "_meta": meta.to_mapping(),
        "properties": mapping_properties(kind, meta, vectors=vectors, extra=extra),
    }
    return {"settings": {"index": index}, "mappings": mappings}


def index_template(
    patterns: Sequence[str], body: Mapping[str, Any], *, priority: int = 200
) -> dict[str, Any]:
    """The composable index template that gives ``body`` to new indices named like ``patterns``."""
    return {
        "index_patterns": list(patterns),
        "priority": priority,
        "template": dict(body),
        "_meta": dict(MANAGED_BY),
    }


def _opensearch_vector(dimensions: int, vectors: VectorOptions) -> dict[str, Any]:
    method: dict[str, Any] = {
        "name": "hnsw",
        "engine": vectors.knn_engine,
        "space_type": "cosinesimil",
    }
    if vectors.graph:
        method["parameters"] = vectors.graph
    return {"type": "knn_vector", "dimension": dimensions, "method": method}


def _elasticsearch_vector(dimensions: int, vectors: VectorOptions) -> dict[str, Any]:
    return {
        "type": "dense_vector",
        "dims": dimensions,
        "index": True,
        "similarity": "cosine",
        "index_options": {"type": vectors.quantization, **vectors.graph},
    }


_VECTOR_MAPPINGS = {
    EngineKind.OPENSEARCH: _opensearch_vector,
    EngineKind.ELASTICSEARCH: _elasticsearch_vector,
}


def _put(properties: dict[str, Any], name: str, mapping: Mapping[str, Any]) -> None:
    """Set a field's mapping; a dotted name becomes a property of an object, as engines show it."""
    *objects, leaf = name.split(".")
    for part in objects:
        properties = properties.setdefault(part, {}).setdefault("properties", {})
    properties[leaf] = dict(mapping)
