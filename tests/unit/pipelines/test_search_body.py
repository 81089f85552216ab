from __future__ import annotations

import json

import pytest

from connectors.engine import EngineKind
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.search_body import WORDS, search_body

STOCK = PipelineOptions(
    name="docs",
    index_patterns=("docs-*", "more-*"),
    text_fields=("title", "body"),
    path=EnginePath.STOCK,
)


def test_the_retriever_names_the_endpoint_and_the_last_text_field() -> None:
    search = search_body(EngineKind.ELASTICSEARCH, STOCK, tuple(Part))
    assert search is not None
    assert search.path == "/docs-*,more-*/_search"
    reranker = search.body["retriever"]["text_similarity_reranker"]
    assert reranker == {
        "retriever": {
            "standard": {"query": {"multi_match": {"query": WORDS, "fields": ["title", "body"]}}}
        },
        "field": "body",
        "inference_id": "docs-rerank",
        "inference_text": WORDS,
        "rank_window_size": 100,
        "allow_rerank_failures": True,
    }
    address, _, body = str(search).partition("\n")
    assert address == "POST /docs-*,more-*/_search"
    assert json.loads(body) == search.body


def test_a_window_of_the_settings_is_asked_for() -> None:
    search = search_body(
        EngineKind.ELASTICSEARCH, STOCK.model_copy(update={"window": 50}), tuple(Part)
    )
    assert search is not None
    assert search.body["retriever"]["text_similarity_reranker"]["rank_window_size"] == 50


def test_one_text_field_is_matched_by_itself() -> None:
    options = STOCK.model_copy(update={"text_fields": ("body",)})
    search = search_body(EngineKind.ELASTICSEARCH, options, [Part.SEARCH])
    assert search is not None
    query = search.body["retriever"]["text_similarity_reranker"]["retriever"]["standard"]["query"]
    assert query == {"match": {"body": WORDS}}


@pytest.mark.parametrize(
    ("kind", "path", "parts"),
    [
        (EngineKind.OPENSEARCH, EnginePath.STOCK, tuple(Part)),
        (EngineKind.ELASTICSEARCH, EnginePath.CLIENT, (Part.TEMPLATE,)),
        (EngineKind.ELASTICSEARCH, EnginePath.STOCK, (Part.TEMPLATE, Part.INGEST)),
    ],
)
def test_there_is_none_without_a_rerank_endpoint(
    kind: EngineKind, path: EnginePath, parts: tuple[Part, ...]
) -> None:
    assert search_body(kind, STOCK.model_copy(update={"path": path}), parts) is None
