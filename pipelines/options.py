"""What `plan`, `apply` and `destroy` are asked for: names, fields, sizes, addresses."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.meta import HASH_FIELD, TEXT_FIELDS, VECTOR_FIELD
from connectors.options import Options, Url
from connectors.search_options import MAX_WINDOW
from pipelines.definitions import DEFAULT_VECTORS, VectorOptions

FieldName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s,*]+$")]
Pattern = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s,]+$")]


class Part(StrEnum):
    """What can be applied by itself."""

    CLUSTER = "cluster"
    TEMPLATE = "template"
    INGEST = "ingest"
    SEARCH = "search"


class EnginePath(StrEnum):
    """By which way searches and documents get to the sidecar."""

    CLIENT = "client"  # Rankside calls engine and sidecar; the engine calls nobody
    STOCK = "stock"  # the engine calls the sidecar with features of its own
    PLUGIN = "plugin"  # the engine calls the sidecar with Rankside's plugin

    @property
    def parts(self) -> tuple[Part, ...]:
        """What there is to apply for it."""
        return _PARTS[self]


_PARTS = {
    EnginePath.CLIENT: (Part.TEMPLATE,),
    EnginePath.STOCK: tuple(Part),
    EnginePath.PLUGIN: (Part.TEMPLATE, Part.INGEST, Part.SEARCH),
}


class PipelineOptions(Options):
    """What `rankside plan`, `apply` and `destroy` are about; their options are stronger."""

    name: str = Field(
        default="rankside",
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=100,
        description="Name of the index template and first part of the other names.",
    )
    index_patterns: tuple[Pattern, ...] = Field(
        default=("rankside-*",), min_length=1, description="Indices the template is for."
    )
    priority: int = Field(
        default=200, ge=0, le=2**31 - 1, description="Of the template; the highest match wins."
    )
    text_fields: tuple[FieldName, ...] = Field(
        default=TEXT_FIELDS, min_length=1, description="Fields a document's text is made of."
    )
    vector_field: FieldName = Field(
        default=VECTOR_FIELD, description="Field of the document vector."
    )
    hash_field: FieldName = Field(
        default=HASH_FIELD, description="Field that says which text and model the vector is of."
    )
    shards: int = Field(default=1, ge=1, le=1024, description="Primary shards of new indices.")
    replicas: int | None = Field(
        default=None, ge=0, le=100, description="Copies of each shard; None: the engine's default."
    )
    vectors: VectorOptions = Field(
        default=DEFAULT_VECTORS, description="How the vectors are indexed."
    )
    path: EnginePath = Field(
        default=EnginePath.CLIENT,
        description="Who calls the sidecar: Rankside; the engine, by stock features or by plugin.",
    )
    engine_sidecar: Url | None = Field(
        default=None,
        description="The sidecar's address as the engine's nodes reach it; None: the client's.",
    )
    auth: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_-]+$",
        max_length=100,
        description="Plugin path: name of the sidecar's key in the nodes' keystores.",
    )
    batch_size: int = Field(
        default=32, ge=1, le=1000, description="Documents in one call from the ingest pipeline."
    )
    on_embed_failure: Literal["index", "fail"] = Field(
        default="index",
        description="What becomes of a document that could not be embedded: indexed without a "
        "vector, for `rankside backfill`, or rejected.",
    )
    ingest_timeout: int = Field(
        default=30, ge=1, le=600, description="Seconds for one call from the ingest pipeline."
    )
    search_timeout: int = Field(
        default=2, ge=1, le=60, description="Seconds for one call from the search pipeline."
    )
    window: int | None = Field(
        default=None,
        ge=1,
        le=MAX_WINDOW,
        description="Hits put in order by `rankside search`, by the search pipeline of the plugin "
        "path, and by the retriever that `plan` shows; None: 100.",
    )

    @model_validator(mode="after")
    def _fields_differ(self) -> Self:
        names = [*self.text_fields, self.vector_field, self.hash_field]
        if len(set(names)) != len(names):
            raise ValueError("text_fields, vector_field and hash_field must be different fields")
        return self
