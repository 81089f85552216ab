"""A test collection: documents, judged queries, and which documents a query is not to be given."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.meta import TEXT_FIELDS, document_text
from plugin.ranking.errors import SettingsError

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade; 0 is judged and not relevant."""

Excluded = Mapping[str, frozenset[str]]
"""Query id → documents that no run of it holds, as the query was made from them."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document; ``text`` is what the encoder gets: title and text, joined by a newline."""

    id: str
    source: Mapping[str, str]

    @property
    def text(self) -> str:
        """The same text that ingest embeds."""
        return document_text(self.source, TEXT_FIELDS)


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection and one split of its judgments.

    ``queries`` holds the judged queries only, in the order of the judgments. ``excluded`` are
    taken out of every run before it is ranked.
    """

    name: str
    split: str
    documents: Mapping[str, Document]
    queries: Mapping[str, str]
    qrels: Qrels
    excluded: Excluded = field(default_factory=dict)


def judged_queries(
    texts: Mapping[str, str], qrels: Qrels, where: Path, source: Path
) -> dict[str, str]:
    """The texts of the judged queries, in the order of the judgments.

    Raises:
        SettingsError: one has no text; ``where`` is the file of the judgments, ``source`` that of
            the queries.
    """
    for query in qrels:
        if query not in texts:
            raise SettingsError(
                f"{where}: query {query!r} is not in {source.name}; add it, or drop its judgments"
            )
    return {query: texts[query] for query in qrels}


def sampled(collection: Collection, queries: int | None, seed: int) -> Collection:
    """``collection`` with so many of its judged queries, drawn by ``seed``; None: all."""
    if queries is None:
        return collection
    names = sorted(collection.queries)
    random.Random(seed).shuffle(names)  # noqa: S311 - a sample, not a secret
    kept = names[:queries]
    return replace(
        collection,
        queries={name: collection.queries[name] for name in kept},
        qrels={name: collection.qrels[name] for name in kept},
    )
