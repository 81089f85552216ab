"""LangChain's CohereRerank against `/v2/rerank`."""

from __future__ import annotations

from collections.abc import Iterator

import cohere
import pytest
from langchain_cohere import CohereRerank
from langchain_core.documents import Document

QUERY = "how do I read a text file"


@pytest.fixture
def reranker(sidecar_url: str) -> Iterator[CohereRerank]:
    with cohere.ClientV2("any", base_url=sidecar_url) as client:
        yield CohereRerank(client=client, model="any", top_n=2)


def test_compressor_keeps_the_best_documents_with_scores(
    reranker: CohereRerank, documents: list[str]
) -> None:
    given = [Document(text, metadata={"place": place}) for place, text in enumerate(documents)]
    kept = reranker.compress_documents(given, QUERY)
    assert len(kept) == 2
    assert kept[0].metadata["place"] == 1
    scores = [document.metadata["relevance_score"] for document in kept]
    assert scores == sorted(scores, reverse=True)


def test_reranker_without_top_n_gets_all(reranker: CohereRerank, documents: list[str]) -> None:
    ranked = reranker.rerank(documents, QUERY, top_n=None, max_tokens_per_doc=64)
    assert sorted(item["index"] for item in ranked) == [0, 1, 2]
