"""How an engine's mapping is read: fields by their dotted names, and what a vector field says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.options import EngineKind

VECTOR_TYPES = {EngineKind.OPENSEARCH: "knn_vector", EngineKind.ELASTICSEARCH: "dense_vector"}
DIMENSIONS = {EngineKind.OPENSEARCH: "dimension", EngineKind.ELASTICSEARCH: "dims"}
"""Where a vector field's mapping has its length."""


def field_mapping(mappings: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The mapping of the field ``name``, None where there is none.

    ``mappings`` is an index's, with its ``properties``. Dots reach into objects and into the
    further ``fields`` of a field.
    """
    found = mappings
    for part in name.split("."):
        inner = {**found.get("properties", {}), **found.get("fields", {})}
        if part not in inner:
            return None
        found = inner[part]
    return found
