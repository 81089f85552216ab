"""Cohere's own client, all of its generations, against `/v1/rerank` and `/v2/rerank`."""

from __future__ import annotations

from collections.abc import Iterator

import cohere
import pytest
from cohere.core.api_error import ApiError

QUERY = "how do I read a text file"


@pytest.fixture
def v1(sidecar_url: str) -> Iterator[cohere.Client]:
    with cohere.Client("any", base_url=sidecar_url) as client:
        yield client


@pytest.fixture
def v2(sidecar_url: str) -> Iterator[cohere.ClientV2]:
    with cohere.ClientV2("any", base_url=sidecar_url) as client:
        yield client


def test_v1_client_gets_every_document_best_first(v1: cohere.Client, documents: list[str]) -> None:
    answer = v1.rerank(query=QUERY, documents=documents, model="rerank-v3.5")
    assert sorted(result.index for result in answer.results) == [0, 1, 2]
    assert answer.results[0].index == 1
    scores = [result.relevance_score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert answer.meta is not None
    assert answer.meta.billed_units is not None
    assert answer.meta.billed_units.search_units == 1


def test_v1_client_gets_documents_back_when_asked(v1: cohere.Client, documents: list[str]) -> None:
    answer = v1.rerank(
        query=QUERY,
        documents=[{"text": text, "source": str(place)} for place, text in enumerate(documents)],
        return_documents=True,
        top_n=1,
    )
    (best,) = answer.results
    assert best.document is not None
    assert best.document.text == documents[1]


def test_v1_client_ranks_by_its_rank_fields(v1: cohere.Client, documents: list[str]) -> None:
    swapped = [{"text": "nothing", "body": text} for text in documents]
    answer = v1.rerank(query=QUERY, documents=swapped, rank_fields=["body"])
    assert answer.results[0].index == 1


def test_v2_client_honours_top_n(v2: cohere.ClientV2, documents: list[str]) -> None:
    answer = v2.rerank(model="rerank-v3.5", query=QUERY, documents=documents, top_n=2)
    assert len(answer.results) == 2
    assert answer.results[0].index == 1


async def test_async_clients_agree_with_each_other(sidecar_url: str, documents: list[str]) -> None:
    async with (
        cohere.AsyncClient("any", base_url=sidecar_url) as v1,
        cohere.AsyncClientV2("any", base_url=sidecar_url) as v2,
    ):
        first = await v1.rerank(query=QUERY, documents=documents, model="m")
        second = await v2.rerank(query=QUERY, documents=documents, model="m")
    assert [r.index for r in first.results] == [r.index for r in second.results]


def test_client_reads_our_error(v2: cohere.ClientV2, documents: list[str]) -> None:
    with pytest.raises(ApiError) as caught:
        v2.rerank(model="m", query=" ", documents=documents)
    assert caught.value.status_code == 422
    assert "query is empty" in caught.value.body["error"]["message"]
