"""`rankside backfill --rebuild`: a new index with new vectors takes an old one's name.

The old index is searched and written until the name changes hands in one step. A killed rebuild
goes on where it was: what is copied already is seen by its version.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.engine import Engine, EngineKind, index_path
from connectors.meta import IndexMeta
from ingest.checkpoint import sole, state_folder
from ingest.copying import Copier, RebuildReport
from ingest.dead_letters import fresh_dead_letters
from ingest.embedders import DocumentEmbedder
from ingest.index import (
    Index,
    check_sources,
    existing_index,
    find_index,
    meta_for,
    set_refresh_interval,
)
from ingest.stages import FlowOptions
from ingest.stored import Target, Watch, ignore
from pipelines.definitions import mapping_properties
from pipelines.options import PipelineOptions
from plugin.ranking.errors import EngineError, PartlyDone, SettingsError

_MARK = "rankside_rebuild"
_REBUILT_NAME = re.compile(r"(.+)-([0-9a-f]{8})(?:-(\d+))?")
_PASSES = 20
_VECTORS_LEFT_OUT_SINCE = (9, 2)  # Elasticsearch's default of exclude_vectors
# Settings that an index gets from the engine, or that would keep a new one from being filled.
_OWN_SETTINGS = frozenset(
    [
        *["blocks", "creation_date", "frozen", "history", "provided_name", "refresh_interval"],
        *["resize", "uuid", "verified_before_close", "version"],
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildOptions:
    """Which index, by an alias.

    ``replace_index``: the name is an index's own, which is deleted when an alias takes its name.
    ``block_writes``: nobody writes into the old index from the second pass on.
    """

    index: str
    layout: PipelineOptions = field(default_factory=PipelineOptions)
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None
    replace_index: bool = False
    delete_old: bool = False
    block_writes: bool = False
    flow: FlowOptions = field(default_factory=FlowOptions)
    dead_letter: Path | None = None


async def rebuild(
    engine: Engine,
    embedder: DocumentEmbedder,
    options: RebuildOptions,
    *,
    watch: Watch = ignore,
) -> RebuildReport:
    """Copy and embed every document into a new index, then give that the old one's name.

    Passes follow each other until one finds nothing new and the counts agree. Where the engine
    refuses a document the name stays with the old index.

    Raises:
        SettingsError: the name cannot change hands; nothing is changed.
        PartlyDone: documents are written faster than they are copied.
        EngineError: the engine failed for longer than patience lasts.
        SidecarError: the sidecar did.
        ModelError: the encoder failed.
    """
    began = time.monotonic()
    old = await existing_index(engine, options.index)
    _check_name(old, options)
    meta = meta_for(
        old,
        embedder,
        options.layout,
        text_fields=options.text_fields,
        vector_field=options.vector_field,
    )
    await check_sources(engine, old, meta)
    key = state_folder() / f"rebuild-{old.uuid}"
    dead = fresh_dead_letters(options.dead_letter, key.with_suffix(".dead-letters.jsonl"))
    with sole(key, "another rebuild of this index is running; wait for it"), closing(dead):
        new = await _new_index(engine, old, meta, options.layout)
        report = _report(old, new, meta, options)
        copier = Copier(
            Target(engine, old.name, meta),
            Target(engine, new.name, meta),
            embedder,
            options.flow,
            report,
            dead=dead,
            reading=await _reading(engine, old, meta),
            watch=watch,
        )
        await _copy_and_swap(engine, old, new, copier, report, options)
    report.dead_letter = str(dead.path) if report.rejected else None
    _time(report, time.monotonic() - began)
    return report


def _time(report: RebuildReport, seconds: float) -> None:
    report.seconds = round(seconds, 3)
    report.documents_per_second = round(report.copied / seconds, 1)


def _report(old: Index, new: Index, meta: IndexMeta, options: RebuildOptions) -> RebuildReport:
    return RebuildReport(
        index=options.index,
        old=old.name,
        new=new.name,
        model=meta.model,
        fingerprint=meta.fingerprint,
        other_aliases=[] if options.replace_index else _others(old),
    )


def new_name(old: str, fingerprint: str) -> str:
    """The name of the index that takes the place of ``old``: the same for every attempt.

    >>> new_name("books", "0123456789abcdef")
    'books-01234567'
    >>> new_name("books-01234567", "89abcdef01234567")
    'books-89abcdef'
    >>> new_name("books-01234567", "0123456789abcdef")
    'books-01234567-2'
    """
    parts = _REBUILT_NAME.fullmatch(old)
    base, print_, number = parts.groups() if parts else (old, None, None)
    name = f"{base}-{fingerprint[:8]}"
    return f"{name}-{int(number or 1) + 1}" if print_ == fingerprint[:8] else name


async def _copy_and_swap(
    engine: Engine,
    old: Index,
    new: Index,
    copier: Copier,
    report: RebuildReport,
    to: RebuildOptions,
) -> None:
    await copier.catch_up()  # the bulk of it, while the old index is in use
    async with _writes_blocked(engine, old, blocked=to.block_writes):
        for _ in range(_PASSES):
            if await copier.catch_up() == 0 and _agree(report):
                break
        else:
            raise PartlyDone(
                f"{old.name} is written faster than it is copied: {report.originals} documents "
                f"there, {report.documents} in {new.name}; run this again with --block-writes"
            )
        await set_refresh_interval(engine, new.name, old.settings.get("refresh_interval"))
        if report.not_copied:
            return
        await engine.request("POST", "/_aliases", body={"actions": _swap(old, new, to)})
        report.swapped = True
        report.old_deleted = to.replace_index
    if to.delete_old and not to.replace_index:
        await engine.request("DELETE", index_path(old.name))
        report.old_deleted = True


def _agree(report: RebuildReport) -> bool:
    return bool(report.not_copied) or report.documents == report.originals


def _swap(old: Index, new: Index, options: RebuildOptions) -> list[dict[str, Any]]:
    """The actions that give the name to ``new`` in one step, with its filter and routing."""

    def add(alias: str) -> dict[str, Any]:
        return {"add": {"index": new.name, "alias": alias, **old.aliases.get(alias, {})}}

    if options.replace_index:
        added = [add(alias) for alias in (options.index, *old.aliases)]
        return [*added, {"remove_index": {"index": old.name}}]
    return [{"remove": {"index": old.name, "alias": options.index}}, add(options.index)]


def _check_name(old: Index, options: RebuildOptions) -> None:
    if not old.by_alias and not options.replace_index:
        raise SettingsError(
            f"{old.name} is an index and not an alias, so its name cannot change hands; use an "
            "alias for searches, or give --replace-index to delete this index at the end and make "
            "its name an alias of the new one"
        )
    if old.by_alias and options.replace_index:
        raise SettingsError(f"{old.given} is an alias already; leave out --replace-index")
    if options.delete_old and (others := _others(old)):
        raise SettingsError(
            f"{old.name} is also known as {', '.join(others)}; move those aliases first, or leave "
            "out --delete-old"
        )


def _others(old: Index) -> list[str]:
    return sorted(alias for alias in old.aliases if alias != old.given)


async def _new_index(engine: Engine, old: Index, meta: IndexMeta, layout: PipelineOptions) -> Index:
    """The index to copy into: made now, or by an earlier attempt at the same."""
    name = new_name(old.name, meta.fingerprint)
    mark = {"of": old.name, "of_uuid": old.uuid}
    there = await find_index(engine, name)
    if there is None:
        body = new_body(engine.kind, old, meta, layout)
        body["mappings"]["_meta"][_MARK] = mark
        await engine.request("PUT", index_path(name), body=body)
        return await existing_index(engine, name)
    if there.meta != meta or there.mappings.get("_meta", {}).get(_MARK) != mark:
        raise SettingsError(
            f"there is an index {name} that this rebuild did not make; delete it if nobody uses it"
        )
    return there


def new_body(
    kind: EngineKind, old: Index, meta: IndexMeta, layout: PipelineOptions
) -> dict[str, Any]:
    """The body of an index like ``old``, but for its vectors; it is not refreshed by itself."""
    mappings = deepcopy(dict(old.mappings))
    properties = mappings.pop("properties", {})
    for name in _left_out(old, meta):
        _drop(properties, name.replace(".", ".properties."))
    mappings["properties"] = mapping_properties(
        kind, meta, vectors=layout.vectors, extra=properties
    )
    mappings["_meta"] = {**mappings.get("_meta", {}), **meta.to_mapping()}
    kept = {key: value for key, value in old.settings.items() if key not in _OWN_SETTINGS}
    settings = deepcopy(kept)
    settings["refresh_interval"] = "-1"
    _drop(settings, "routing.allocation.initial_recovery")  # of an index that was shrunk or split
    if kind is EngineKind.OPENSEARCH:
        settings["knn"] = True
    return {"settings": {"index": settings}, "mappings": mappings}


def _left_out(old: Index, meta: IndexMeta) -> list[str]:
    """Fields that are not copied: the vector and the hash, by their old and new names."""
    names = {meta.vector_field, meta.hash_field}
    if old.meta is not None:
        names |= {old.meta.vector_field, old.meta.hash_field}
    return sorted(names)


def _drop(tree: dict[str, Any], dotted: str) -> None:
    """Take what ``dotted`` leads to out of nested objects, if it is there."""
    *objects, leaf = dotted.split(".")
    for part in objects:
        tree = tree.get(part, {})
    tree.pop(leaf, None)


async def _reading(engine: Engine, old: Index, meta: IndexMeta) -> dict[str, str]:
    """Parameters that give originals whole: other vectors of the user's included."""
    params = {"_source_excludes": ",".join(_left_out(old, meta))}
    if engine.kind is EngineKind.ELASTICSEARCH:
        version = (await engine.info()).version
        if tuple(int(part) for part in version.split(".")[:2]) >= _VECTORS_LEFT_OUT_SINCE:
            params["_source_exclude_vectors"] = "false"
    return params


@asynccontextmanager
async def _writes_blocked(engine: Engine, old: Index, *, blocked: bool) -> AsyncIterator[None]:
    """Keep others from writing into the old index meanwhile, if asked."""

    async def block(*, value: bool | None) -> None:
        body = {"index": {"blocks": {"write": value}}}
        await engine.request("PUT", f"{index_path(old.name)}/_settings", body=body)

    if not blocked:
        yield
        return
    await block(value=True)
    try:
        yield
    finally:
        with suppress(EngineError):  # where it was deleted there is nothing to lift
            await block(value=None)
