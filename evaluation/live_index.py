"""An index that is there already: its own documents, texts and vectors, searched as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from connectors.engine import Engine, index_path
from connectors.index import catalogue_of, own_search
from connectors.meta import document_text
from connectors.query_text import text_query
from connectors.search import SearchOptions
from connectors.target import known_text_fields
from evaluation.engine import Searched
from plugin.ranking.errors import SettingsError

PLACEHOLDER = "{{query}}"

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """Which index, and what a query's text becomes there.

    ``body`` is a `_search` body with ``{{query}}`` wherever the text belongs; None: a search of the
    index's text fields. ``text_fields`` and ``vector_field`` are for an index that has no
    ``_meta.rankside``.
    """

    name: str
    body: Mapping[str, Any] | None = None
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None


def read_body(path: Path) -> dict[str, Any]:
    """The `_search` body in ``path``.

    Raises:
        SettingsError: it cannot be read, or has no place for the query's text.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"--query-body {path} cannot be read as JSON: {error}") from error
    if not isinstance(body, dict):
        raise SettingsError(f"--query-body {path} is not a JSON object; give a body of a _search")
    if PLACEHOLDER not in json.dumps(body):
        raise SettingsError(
            f'--query-body {path} has no "{PLACEHOLDER}"; write it where the query\'s text belongs'
        )
    return body


async def searched(engine: Engine, live: LiveIndex) -> Searched:
    """What queries of ``live`` are sent to.

    Raises:
        EngineError: there is no such index, or the engine cannot be asked.
        SettingsError: nothing says where its text is.
    """
    fields = await text_fields(engine, live)
    if live.body is None and not fields:
        raise SettingsError(
            f"nothing says where the text of {live.name} is; name its fields with --text-fields, "
            "or give --query-body"
        )
    body = live.body or {"query": text_query(PLACEHOLDER, fields)}
    # As the window search does it: an index's default search pipeline may rerank, with us even.
    params = own_search(engine.kind)
    options = SearchOptions(text_fields=live.text_fields, vector_field=live.vector_field)
    return Searched(live.name, partial(filled, body), options, params)


def filled(body: Mapping[str, Any], text: str, k: int) -> dict[str, Any]:
    """``body`` for one query: its text in place, ``k`` hits of it and no more than their ids."""
    made: dict[str, Any] = _replaced(dict(body), text)
    made.setdefault("_source", False)
    made.setdefault("track_total_hits", False)
    return {**made, "from": 0, "size": k}


async def text_fields(engine: Engine, live: LiveIndex) -> tuple[str, ...]:
    """Where the text of its documents is: as given, else as the index says."""
    return live.text_fields or await known_text_fields(engine, catalogue_of(engine), live.name)


async def count(engine: Engine, live: LiveIndex) -> int:
    """How many documents it has."""
    answer = await engine.request("GET", f"{index_path(live.name)}/_count")
    return int(answer["count"])


async def texts(engine: Engine, live: LiveIndex, ids: Iterable[str]) -> dict[str, str]:
    """The texts of the documents ``ids``; empty for one that is not there any more."""
    fields, wanted = await text_fields(engine, live), list(ids)
    found = dict.fromkeys(wanted, "")
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        # Behind an alias several indices may hold an id.
        body = {"query": {"ids": {"values": some}}, "size": len(some) * 2, "_source": list(fields)}
        answer = await engine.search(live.name, body, params=own_search(engine.kind))
        for hit in answer["hits"]["hits"]:
            found[hit["_id"]] = document_text(hit.get("_source") or {}, fields)
    return found


def _replaced(value: Any, text: str) -> Any:
    """``value`` with the text wherever its place is held, however deep."""
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, text)
    if isinstance(value, Mapping):
        return {name: _replaced(one, text) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, text) for one in value]
    return value
