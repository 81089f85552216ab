"""Checks of an index: is there what a rescore reads?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.engine import Engine, EngineKind
from connectors.index import vector_field
from connectors.mapping import DIMENSIONS, VECTOR_TYPES, field_mapping
from connectors.meta import IndexMeta, document_text, vector_hash
from plugin.ranking.errors import EngineRejected, SettingsError
from rankside.checks.finding import Case, Finding, Level, known

SAMPLE = 200  # documents whose text is compared with the hash beside their vector


async def exists(case: Case) -> Finding:
    """The index, or what the alias stands for, is there."""
    if case.index is None:
        return Finding("index", Level.NOT_RUN, "no index is named", "give --index")
    try:
        answer = await known(case.engine).request("GET", f"/{case.index}/_mapping")
    except EngineRejected as error:
        if error.status != 404:
            raise
        answer = {}
    if not answer:
        return Finding(
            "index",
            Level.PROBLEM,
            f"{case.index} is not there",
            f"fill it with `rankside ingest FILE --index {case.index}`",
        )
    case.mappings = {name: body["mappings"] for name, body in answer.items()}
    names = sorted(case.mappings)
    shown = case.index if names == [case.index] else f"{case.index}: {', '.join(names)}"
    return Finding("index", Level.GOOD, f"{shown} is there")


async def described(case: Case) -> Finding:
    """``_meta.rankside`` says which model the vectors are of, alike in all indices."""
    remedy = f"embed it with `rankside backfill --index {case.index}`"
    try:
        metas = {name: IndexMeta.of_mapping(body) for name, body in case.mappings.items()}
    except SettingsError as error:
        return Finding("index model", Level.PROBLEM, str(error), remedy)
    bare = [name for name, meta in metas.items() if meta is None]
    if bare:
        sentence = f"{', '.join(bare)} has no _meta.rankside: nothing says what its vectors are"
        return Finding("index model", Level.PROBLEM, sentence, remedy)
    if len(set(metas.values())) > 1:
        sentence = f"the indices behind {case.index} have different models or fields"
        return Finding("index model", Level.PROBLEM, sentence, remedy)
    case.meta = meta = known(next(iter(metas.values())))
    if not meta.fingerprint:
        sentence = "a re-embedding is under way: its vectors are not used until it ends"
        return Finding("index model", Level.WARNING, sentence, remedy)
    sentence = f"vectors of {meta.model}, {meta.dimensions} dimensions, {meta.fingerprint}"
    return Finding("index model", Level.GOOD, sentence)


async def mapped(case: Case) -> Finding:
    """The vector field has the type and length that a rescore needs, and the similarity of k-NN."""
    meta, kind = known(case.meta), known(case.engine).kind
    remedy = f"a mapping cannot change: `rankside backfill --index {case.index} --rebuild`"
    scripts_only: list[str] = []
    for name, mapping in case.mappings.items():
        field = field_mapping(mapping, meta.vector_field)
        wrong = _wrong(kind, field, meta)
        if wrong:
            sentence = f"{meta.vector_field} of {name} {wrong}"
            return Finding("vector field", Level.PROBLEM, sentence, remedy)
        if not vector_field(kind, known(field)).exact_knn:
            scripts_only.append(name)
    if scripts_only:
        sentence = (
            f"{meta.vector_field} of {', '.join(scripts_only)} has no k-NN by cosine: searches are "
            "rescored where the engine runs scripts, and passed through where it does not"
        )
        return Finding("vector field", Level.WARNING, sentence, remedy)
    return Finding("vector field", Level.GOOD, f"{meta.vector_field} is mapped as it must be")


async def covered(case: Case) -> Finding:
    """How many documents have a vector."""
    engine, meta = known(case.engine), known(case.meta)
    remedy = f"`rankside backfill --index {case.index}` embeds them"
    total = await _count(engine, case.index, {"match_all": {}})
    with_vector = await _count(engine, case.index, {"exists": {"field": meta.vector_field}})
    if total == 0:
        sentence, remedy = "no documents", f"`rankside ingest FILE --index {case.index}`"
        return Finding("vectors", Level.WARNING, sentence, remedy)
    sentence = f"{with_vector} of {total} documents have a vector ({_share(with_vector, total)})"
    if with_vector == total:
        return Finding("vectors", Level.GOOD, sentence)
    level = Level.WARNING if with_vector else Level.PROBLEM
    return Finding("vectors", level, sentence, remedy)


async def fresh(case: Case) -> Finding:
    """Vectors are of the index's model, and of the text they stand beside (on a sample)."""
    engine, meta = known(case.engine), known(case.meta)
    if not meta.fingerprint:
        return Finding("freshness", Level.NOT_RUN, "the index has no fingerprint to compare with")
    embedded = {"exists": {"field": meta.vector_field}}
    ours = {"prefix": {meta.hash_field: f"{meta.fingerprint}:"}}
    other = await _count(engine, case.index, {"bool": {"filter": [embedded], "must_not": [ours]}})
    looked, changed = await _changed(engine, case.index, meta)
    remedy = f"`rankside backfill --index {case.index}` embeds them again"
    if other:
        sentence = f"{other} vectors are of another model, and not compared, or unmarked"
        return Finding("freshness", Level.WARNING, sentence, remedy)
    if changed:
        sentence = (
            f"{changed} of {looked} documents looked at have changed since they were embedded"
        )
        return Finding("freshness", Level.WARNING, sentence, remedy)
    return Finding("freshness", Level.GOOD, f"no stale vector among {looked} documents looked at")


def _wrong(kind: EngineKind, field: Mapping[str, Any] | None, meta: IndexMeta) -> str:
    """What is wrong with a vector field's mapping, or ""."""
    wanted, length = VECTOR_TYPES[kind], DIMENSIONS[kind]
    if field is None:
        return "is not mapped"
    if field.get("type") != wanted:
        return f"is a {field.get('type')}, not a {wanted}"
    if field.get(length) != meta.dimensions:
        return f"has {field.get(length)} dimensions, not {meta.dimensions}"
    return ""


async def _count(engine: Engine, index: str | None, query: Mapping[str, Any]) -> int:
    answer = await engine.request("POST", f"/{index}/_count", body={"query": query})
    return int(answer["count"])


async def _changed(engine: Engine, index: str | None, meta: IndexMeta) -> tuple[int, int]:
    """Documents of the sample that have a hash, and how many of those are not of their text."""
    hashed = {"exists": {"field": meta.hash_field}}
    answer = await engine.search(
        known(index),
        {
            "size": SAMPLE,
            "query": {"function_score": {"query": hashed, "random_score": {}}},
            "_source": [*meta.text_fields, meta.hash_field],
        },
    )
    sources = [hit["_source"] for hit in answer["hits"]["hits"]]
    changed = [
        source
        for source in sources
        if source.get(meta.hash_field)
        != vector_hash(meta.fingerprint, document_text(source, meta.text_fields))
    ]
    return len(sources), len(changed)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
