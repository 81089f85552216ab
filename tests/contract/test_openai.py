"""OpenAI's own client against `/v1/embeddings` and `/v1/models`."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np
import openai
import pytest

from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input


@pytest.fixture
def client(sidecar_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sidecar_url}/v1", api_key="any", max_retries=0) as made:
        yield made


def test_embeddings_are_the_encoders_own(
    client: openai.OpenAI, minilm: Encoder, documents: list[str]
) -> None:
    answer = client.embeddings.create(model="whatever", input=documents)
    inputs = [document_input(minilm.profile, text) for text in documents]
    expected = minilm.encode(inputs)
    got = np.array([item.embedding for item in answer.data], dtype=np.float32)
    assert [item.index for item in answer.data] == [0, 1, 2]
    np.testing.assert_allclose(got, expected.vectors, atol=1e-5)
    assert answer.usage.prompt_tokens == sum(expected.tokens)
    assert answer.model == minilm.profile.name


def test_formats_hold_the_same_numbers(client: openai.OpenAI) -> None:
    floats = client.embeddings.create(model="m", input="one text", encoding_format="float")
    packed = client.embeddings.create(model="m", input="one text", encoding_format="base64")
    text = packed.data[0].embedding
    assert isinstance(text, str)
    np.testing.assert_array_equal(
        np.frombuffer(base64.b64decode(text), "<f4"),
        np.array(floats.data[0].embedding, dtype=np.float32),
    )


def test_input_type_and_full_dimensions_are_taken(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(
        model="m", input=["a query"], dimensions=384, extra_body={"input_type": "query"}
    )
    assert len(answer.data[0].embedding) == 384


def test_dimensions_the_model_lacks_are_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="no vectors of 100 dimensions"):
        client.embeddings.create(model="m", input="text", dimensions=100)


def test_token_ids_are_refused_with_the_remedy(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="check_embedding_ctx_length=False"):
        client.embeddings.create(model="m", input=[[101, 2023, 102]])


def test_text_that_is_too_long_is_cut_and_reported(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="m", input=["word " * 5000, "short"])
    assert answer.usage.model_dump()["truncated"] == 1


async def test_async_client_embeds_alike(client: openai.OpenAI, sidecar_url: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{sidecar_url}/v1", api_key="any") as other:
        theirs = await other.embeddings.create(model="m", input="one text")
    ours = client.embeddings.create(model="m", input="one text")
    np.testing.assert_allclose(theirs.data[0].embedding, ours.data[0].embedding, atol=1e-6)


def test_models_list_the_encoder_with_what_callers_need(
    client: openai.OpenAI, minilm: Encoder
) -> None:
    (card,) = client.models.list().data
    extra = card.model_dump()
    assert card.id == minilm.profile.name
    assert extra["fingerprint"] == minilm.profile.fingerprint
    assert extra["dimensions"] == 384
    assert extra["fusion"] == minilm.profile.fusion.as_dict()
