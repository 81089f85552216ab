"""The index written to: created where it is missing, given its fields where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.engine import Engine, EngineKind, index_path
from connectors.mapping import DIMENSIONS, VECTOR_TYPES, field_mapping
from connectors.meta import IndexMeta, document_text
from ingest.embedders import DocumentEmbedder
from pipelines.definitions import index_body, mapping_properties
from pipelines.options import PipelineOptions
from plugin.ranking.errors import EngineRejected, SettingsError

_NOT_FOUND = 404
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the engine shows it: ``given`` is the name asked for, ``name`` the index's own.

    ``settings`` is the object below ``settings.index``.
    """

    given: str
    name: str
    aliases: Mapping[str, Any]
    mappings: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def uuid(self) -> str:
        """Tells this index from a later one of the same name."""
        return str(self.settings["uuid"])

    @property
    def by_alias(self) -> bool:
        """Whether it was asked for by an alias."""
        return self.given != self.name

    @property
    def meta(self) -> IndexMeta | None:
        """What Rankside keeps in the mapping. Raises SettingsError where it is broken."""
        return IndexMeta.of_mapping(self.mappings)

    def field(self, name: str) -> Mapping[str, Any] | None:
        """The mapping of a field by its dotted name, else None."""
        return field_mapping(self.mappings, name)


async def find_index(engine: Engine, name: str) -> Index | None:
    """The index called ``name``, or that the alias ``name`` stands for; None where there is none.

    Raises:
        SettingsError: the name stands for several indices.
        EngineError: the engine failed.
    """
    if not name or any(character in name for character in "*,"):
        raise SettingsError(f"{name!r} names no one index; give the name of an index or alias")
    try:
        answer = await engine.request("GET", index_path(name))
    except EngineRejected as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    if len(answer) != 1:
        raise SettingsError(f"{name} stands for {len(answer)} indices; name one of them")
    ((own, shown),) = answer.items()
    if "data_stream" in shown:
        raise SettingsError(f"{name} is a data stream, which keeps no ids; use an index")
    return Index(name, own, shown["aliases"], shown["mappings"], shown["settings"]["index"])


async def ensure_index(
    engine: Engine, name: str, meta: IndexMeta, layout: PipelineOptions
) -> Index:
    """Make ``name`` an index that can hold documents of ``meta``, and give it.

    Raises:
        SettingsError: it is there and holds vectors of another model, or fields of other kinds.
        EngineError: the engine failed.
    """
    index = await find_index(engine, name)
    if index is None:
        await engine.request("PUT", index_path(name), body=new_index(engine.kind, meta, layout))
    else:
        check_meta(index, meta)
        await ensure_fields(engine, index, meta)
    return await existing_index(engine, name)


def new_index(kind: EngineKind, meta: IndexMeta, layout: PipelineOptions) -> dict[str, Any]:
    """The body that creates an index. Raises SettingsError for too many dimensions."""
    return index_body(
        kind, meta, shards=layout.shards, replicas=layout.replicas, vectors=layout.vectors
    )


async def existing_index(engine: Engine, name: str) -> Index:
    """As ``find_index``; also raises SettingsError where there is none."""
    index = await find_index(engine, name)
    if index is None:
        raise SettingsError(f"there is no index {name}; make it with `rankside ingest`")
    return index


def meta_for(
    index: Index | None,
    embedder: DocumentEmbedder,
    layout: PipelineOptions,
    *,
    text_fields: Sequence[str] | None = None,
    vector_field: str | None = None,
) -> IndexMeta:
    """The meta of documents that ``embedder`` makes vectors for.

    Names that are not given are as ``index`` has them, else as ``layout`` says.
    """
    names = (index.meta if index else None) or layout
    return IndexMeta(
        fingerprint=embedder.fingerprint,
        model=embedder.model,
        revision=embedder.revision,
        dimensions=embedder.dimensions,
        vector_field=vector_field or names.vector_field,
        hash_field=names.hash_field,
        text_fields=tuple(text_fields or names.text_fields),
    )


def check_meta(index: Index, meta: IndexMeta) -> None:
    """See that documents of ``meta`` may be written into ``index``.

    An empty fingerprint there is an in-place re-embedding under way: its own model may go on.
    Raises SettingsError.
    """
    there = index.meta
    if there is None:
        return
    if there.fingerprint and there.fingerprint != meta.fingerprint:
        raise SettingsError(
            f"{index.given} holds vectors of {model_of(there)}, these would be of "
            f"{model_of(meta)}; use that model, another index, or `rankside backfill --rebuild`"
        )
    if not there.fingerprint and model_of(there) != model_of(meta):
        raise SettingsError(
            f"{index.given} is being re-embedded with {model_of(there)}; finish that with "
            "`rankside backfill` and that model first"
        )
    names = ("vector_field", "hash_field", "text_fields")
    for name in names:
        if getattr(there, name) != getattr(meta, name):
            raise SettingsError(
                f"{index.given} has {name} {_shown(there, name)} and not {_shown(meta, name)}; "
                "leave the option out, or use another index"
            )


async def ensure_fields(engine: Engine, index: Index, meta: IndexMeta) -> list[str]:
    """Give ``index`` the vector field, the hash field and ``_meta`` it lacks; the names added.

    Raises:
        SettingsError: a field is there with another type or dimension.
        EngineError: the engine failed.
    """
    added = missing_fields(engine.kind, index, meta)
    if added or index.meta is None:
        # What is there stays: its fingerprint may be empty on purpose.
        await write_meta(engine, index, index.meta or meta)
    return added


def missing_fields(kind: EngineKind, index: Index, meta: IndexMeta) -> list[str]:
    """Of the vector field and the hash field, those that ``index`` lacks. Raises SettingsError."""
    vector, hash_ = index.field(meta.vector_field), index.field(meta.hash_field)
    if vector is not None and vector.get("type") != VECTOR_TYPES[kind]:
        raise SettingsError(
            f"field {meta.vector_field} of {index.given} is {vector.get('type')}, not "
            f"{VECTOR_TYPES[kind]}; give another --vector-field"
        )
    if vector is not None and vector.get(DIMENSIONS[kind]) != meta.dimensions:
        raise SettingsError(
            f"field {meta.vector_field} of {index.given} has {vector.get(DIMENSIONS[kind])} "
            f"dimensions and {meta.model} makes {meta.dimensions}; give another --vector-field, or "
            "`rankside backfill --rebuild`"
        )
    if hash_ is not None and hash_.get("type") != "keyword":
        raise SettingsError(
            f"field {meta.hash_field} of {index.given} is {hash_.get('type')}, not keyword; "
            "rebuild the index"
        )
    fields = {meta.vector_field: vector, meta.hash_field: hash_}
    return [name for name, mapping in fields.items() if mapping is None]


async def write_meta(engine: Engine, index: Index, meta: IndexMeta) -> None:
    """Write ``_meta.rankside``, keeping what others wrote beside it, and the fields it names.

    Raises as ``ensure_fields`` does.
    """
    kept = index.mappings.get("_meta", {})
    properties = _tree(engine.kind, index, meta, missing_fields(engine.kind, index, meta))
    body = {"_meta": {**kept, **meta.to_mapping()}, "properties": properties}
    await engine.request("PUT", f"{index_path(index.name)}/_mapping", body=body)


async def check_sources(engine: Engine, index: Index, meta: IndexMeta) -> None:
    """See that the texts of documents can be read back from ``index``.

    Raises:
        SettingsError: it keeps no sources, or none of its first documents has a text.
        EngineError: the engine failed.
    """
    if index.mappings.get("_source", {}).get("enabled") is False:
        raise SettingsError(
            f"{index.given} keeps no _source, so texts cannot be read back; ingest the documents "
            "again from their files"
        )
    body = {"size": _LOOKED_AT, "_source": list(meta.text_fields)}
    hits = (await engine.search(index.name, body))["hits"]["hits"]
    if hits and not any(document_text(hit["_source"], meta.text_fields) for hit in hits):
        raise SettingsError(
            f"none of {len(hits)} documents of {index.given} has text in "
            f"{', '.join(meta.text_fields)}; give --text-fields"
        )


async def refresh(engine: Engine, name: str) -> None:
    """Make everything written searchable."""
    await engine.request("POST", f"{index_path(name)}/_refresh")


async def set_refresh_interval(engine: Engine, name: str, value: str | None) -> None:
    """Set how often the index is refreshed; ``-1`` never, None the engine's default."""
    body = {"index": {"refresh_interval": value}}
    await engine.request("PUT", f"{index_path(name)}/_settings", body=body)


def _tree(kind: EngineKind, index: Index, meta: IndexMeta, names: list[str]) -> dict[str, Any]:
    """``properties`` of the named fields alone, as nested as their names are dotted."""
    plain = kind is EngineKind.OPENSEARCH and str(index.settings.get("knn")).lower() != "true"
    tree: dict[str, Any] = {}
    whole = {"properties": mapping_properties(kind, meta)}
    for name in names:
        *objects, leaf = name.split(".")
        source, target = whole, tree
        for part in objects:
            source = source["properties"][part]
            target = target.setdefault(part, {}).setdefault("properties", {})
        target[leaf] = dict(source["properties"][leaf])
        if plain and name == meta.vector_field:
            # An index made without index.knn refuses a method; scripts need none.
            target[leaf].pop("method")
    return tree


def model_of(meta: IndexMeta) -> str:
    """A model as a message names it."""
    return f"{meta.model} {meta.revision}".strip() + f" ({meta.dimensions} dimensions)"


def _shown(meta: IndexMeta, name: str) -> str:
    value = getattr(meta, name)
    return value if isinstance(value, str) else ",".join(value)
