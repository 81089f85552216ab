"""LiteLLM's rerank call in four dialects, each by the path its provider's code builds.

`cohere/` and `jina_ai/` post to /v1/rerank, `hosted_vllm/` to /rerank with `documents`,
`huggingface/` to /rerank with `texts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import litellm
import pytest
from litellm.llms.custom_httpx.http_handler import HTTPHandler

QUERY = "how do I read a text file"
PROVIDERS = ["cohere/any", "jina_ai/any", "hosted_vllm/any", "huggingface/any"]

pytestmark = pytest.mark.filterwarnings(
    # litellm's own types, built at its first call
    "ignore:Item '.*' on TypedDict class '.*' is using the `ReadOnly` qualifier:UserWarning",
)


@pytest.fixture(autouse=True)
async def no_connections_left() -> AsyncIterator[None]:
    """litellm keeps its HTTP clients for ever; here they end with the test."""
    yield
    await litellm.close_litellm_async_clients()
    for client in litellm.in_memory_llm_clients_cache.cache_dict.values():
        if isinstance(client, HTTPHandler):
            client.close()
    litellm.in_memory_llm_clients_cache.flush_cache()


@pytest.mark.parametrize("model", PROVIDERS)
def test_provider_ranks_every_document(sidecar_url: str, documents: list[str], model: str) -> None:
    answer = litellm.rerank(
        model=model, query=QUERY, documents=documents, api_base=sidecar_url, api_key="any"
    )
    assert answer.results is not None
    assert sorted(result["index"] for result in answer.results) == [0, 1, 2]
    best = max(answer.results, key=lambda result: result["relevance_score"])
    assert best["index"] == 1


@pytest.mark.parametrize("model", PROVIDERS)
async def test_provider_ranks_asynchronously_and_sends_documents_back(
    sidecar_url: str, documents: list[str], model: str
) -> None:
    answer = await litellm.arerank(
        model=model,
        query=QUERY,
        documents=documents,
        return_documents=True,
        api_base=sidecar_url,
        api_key="any",
    )
    assert answer.results is not None
    assert answer.results[0]["index"] == 1
    assert answer.results[0]["document"]["text"] == documents[1]


@pytest.mark.parametrize("model", PROVIDERS[:3])
def test_provider_gets_top_n(sidecar_url: str, documents: list[str], model: str) -> None:
    answer = litellm.rerank(
        model=model, query=QUERY, documents=documents, top_n=2, api_base=sidecar_url, api_key="any"
    )
    assert answer.results is not None
    assert len(answer.results) == 2
