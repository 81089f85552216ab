"""The search that uses what was applied, where the engine wants it written into the request.

OpenSearch names a pipeline beside the request; Elasticsearch has a retriever around it. Source: its
pages *Text similarity re-ranker retriever* and, for `allow_rerank_failures`, the parser of
`TextSimilarityRankRetrieverBuilder`; the node that tests run has no such retriever.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from connectors.engine import EngineKind
from connectors.search_options import DEFAULT_WINDOW
from pipelines.catalogue import search_name
from pipelines.options import EnginePath, Part, PipelineOptions

WORDS = "the words of the search"


@dataclass(frozen=True, slots=True)
class SearchBody:
    """One search: the address to POST to, and its body."""

    path: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"POST {self.path}\n{json.dumps(self.body, indent=2, ensure_ascii=False)}"


def search_body(
    kind: EngineKind, options: PipelineOptions, parts: Collection[Part]
) -> SearchBody | None:
    """How to search by the rerank endpoint of ``options``; None where there is none in ``parts``.

    The retriever reads one field: the last of the text fields, as titles come first.
    """
    made = kind is EngineKind.ELASTICSEARCH and options.path is EnginePath.STOCK
    if not made or Part.SEARCH not in parts:
        return None
    reranker = {
        "retriever": {"standard": {"query": _match(options.text_fields)}},
        "field": options.text_fields[-1],
        "inference_id": search_name(options),
        "inference_text": WORDS,
        "rank_window_size": options.window or DEFAULT_WINDOW,
        "allow_rerank_failures": True,  # else a search fails when the sidecar does
    }
    body = {"retriever": {"text_similarity_reranker": reranker}}
    return SearchBody(f"/{','.join(options.index_patterns)}/_search", body)


def _match(fields: tuple[str, ...]) -> dict[str, Any]:
    if len(fields) == 1:
        return {"match": {fields[0]: WORDS}}
    return {"multi_match": {"query": WORDS, "fields": list(fields)}}
