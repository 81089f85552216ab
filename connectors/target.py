"""Which fields of an index a search reads and rescores, the caller's word first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.engine import Engine
from connectors.index import IndexCatalogue, IndexFacts, VectorField, vector_field
from connectors.meta import VECTOR_FIELD, IndexMeta
from connectors.search_options import PassThrough, SearchOptions
from plugin.ranking.errors import EngineRejected, SettingsError
from plugin.ranking.hits import Strategy


@dataclass(frozen=True, slots=True)
class Target:
    """What a search works on.

    ``fingerprint`` None: the vectors are taken for the sidecar's model's. ``hash_field`` None:
    nothing beside a vector says what it was made of. ``indices`` empty: not known. ``lacking``
    names those of them that have no vector field.
    """

    text_fields: tuple[str, ...]
    vector_field: str
    vectors: VectorField
    fingerprint: str | None
    hash_field: str | None
    indices: frozenset[str]
    lacking: tuple[str, ...]


async def known_text_fields(
    engine: Engine, catalogue: IndexCatalogue, index: str
) -> tuple[str, ...]:
    """The text fields that the index names in its ``_meta.rankside``; none where it names none.

    None either where the engine does not show its mappings to this user, who may search all the
    same.

    Raises:
        EngineError: the engine cannot be reached, or has no such index.
        SettingsError: a ``_meta.rankside`` is broken.
    """
    try:
        facts = await catalogue.facts(engine, index)
    except EngineRejected as error:
        if error.status not in {401, 403}:
            raise
        return ()
    metas = [one.meta for one in facts if one.meta is not None]
    return tuple(dict.fromkeys(name for meta in metas for name in meta.text_fields))


async def find_target(
    engine: Engine, catalogue: IndexCatalogue, index: str, options: SearchOptions
) -> Target:
    """What a search of ``index`` works on.

    Raises:
        PassThrough: the index has no usable vectors, or nothing says where its text is.
        EngineUnavailable: the engine cannot be reached.
    """
    facts = await _facts(engine, catalogue, index, options)
    meta = _meta(index, facts)
    text_fields = options.text_fields or (meta.text_fields if meta else None)
    if not text_fields:
        raise PassThrough(
            "no_text_fields",
            SettingsError(f"nothing says where the text of {index} is; name its text fields"),
        )
    field = options.vector_field or (meta.vector_field if meta else VECTOR_FIELD)
    own = meta if meta is not None and meta.vector_field == field else None
    target = Target(
        text_fields=text_fields,
        vector_field=field,
        vectors=_vectors(engine, index, facts, field, own),
        fingerprint=options.fingerprint or (own.fingerprint if own else None),
        hash_field=_hash_field(facts, own),
        indices=frozenset(one.name for one in facts),
        lacking=tuple(one.name for one in facts if one.field(field) is None),
    )
    if options.strategy is not Strategy.INSERTRANK:
        _require_vectors(index, target, named=own is not None or options.vector_field is not None)
    return target


async def _facts(
    engine: Engine, catalogue: IndexCatalogue, index: str, options: SearchOptions
) -> tuple[IndexFacts, ...]:
    try:
        return await catalogue.facts(engine, index)
    except SettingsError as error:
        raise PassThrough("broken_meta", error) from error
    except EngineRejected as error:
        # Who may search may still not be allowed to read mappings, but can say what is in them.
        if options.text_fields and (options.vector_field or _orders(options.strategy)):
            return ()
        raise PassThrough("mapping_unreadable", error) from error


def _orders(strategy: Strategy) -> bool:
    return strategy is Strategy.INSERTRANK


def _meta(index: str, facts: Iterable[IndexFacts]) -> IndexMeta | None:
    metas = {one.meta for one in facts if one.meta is not None}
    if len(metas) > 1:
        raise _mixed(index)
    return next(iter(metas), None)


def _mixed(index: str) -> PassThrough:
    return PassThrough(
        "mixed_indices",
        SettingsError(
            f"the indices behind {index} hold vectors of different models or fields; search those "
            "of one model, or rebuild the others with `rankside backfill --rebuild`"
        ),
    )


def _vectors(
    engine: Engine,
    index: str,
    facts: Iterable[IndexFacts],
    field: str,
    meta: IndexMeta | None,
) -> VectorField:
    """How every index holds the field; dimensions as the mapping has them, else the meta."""
    mappings = [mapping for one in facts if (mapping := one.field(field)) is not None]
    found = {vector_field(engine.kind, mapping) for mapping in mappings}
    if len({one.dimensions for one in found}) > 1:
        raise _mixed(index)
    if not found:
        # Nothing is known: an exact k-NN is what an index of Rankside's making allows.
        return VectorField(meta.dimensions if meta else None, exact_knn=True, quantized=False)
    return VectorField(
        dimensions=next(iter(found)).dimensions,
        exact_knn=all(one.exact_knn for one in found),
        quantized=any(one.quantized for one in found),
    )


def _hash_field(facts: Iterable[IndexFacts], meta: IndexMeta | None) -> str | None:
    """The hash field where it can be read as a doc value, as it is where Rankside mapped it."""
    if meta is None:
        return None
    mappings = [one for fact in facts if (one := fact.field(meta.hash_field)) is not None]
    readable = all(one.get("type") == "keyword" and one.get("doc_values", True) for one in mappings)
    return meta.hash_field if mappings and readable else None


def _require_vectors(index: str, target: Target, *, named: bool) -> None:
    if target.fingerprint == "":
        raise PassThrough(
            "reembedding",
            SettingsError(
                f"{index} is being embedded by another model; wait for `rankside backfill` to end, "
                "or run it again"
            ),
        )
    if not named or (target.indices and len(target.lacking) == len(target.indices)):
        raise PassThrough(
            "no_vectors",
            SettingsError(
                f"{index} has no document vectors; run `rankside backfill --index {index}`, or "
                "name their field"
            ),
        )
