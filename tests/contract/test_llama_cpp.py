"""The client of chat completions against a real server of them: llama.cpp's, with a toy model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from plugin.models.chat.client import OpenAILLM
from plugin.models.encoder import Encoder
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.llm_prompt import ChatMessage
from plugin.ranking.permutation import Outcome, parse
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving
from tests.smollm2 import CONTEXT, PATIENCE, LlamaServer, llama_server

pytest.importorskip("xllamacpp", reason="no wheel of llama.cpp for this platform")

TURNS = [
    ChatMessage("system", "You rank."),
    ChatMessage("user", "Which is best? A or B or C. Answer with a letter."),
]
STORY = [ChatMessage("user", "Tell a very long story about bees.")]

Client = Callable[..., OpenAILLM]


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaServer]:
    with llama_server() as server:
        yield server


@pytest.fixture
async def client(llama: LlamaServer) -> AsyncIterator[Client]:
    made: list[OpenAILLM] = []

    def client_(**settings: Any) -> OpenAILLM:
        options = LLMOptions.model_validate({"url": llama.url, "max_tokens": 16, **settings})
        made.append(OpenAILLM(options))
        return made[-1]

    yield client_
    for one in made:
        await one.close()


async def test_a_stream_is_what_the_whole_is(client: Client) -> None:
    whole, streamed = [
        await client(stream=stream).complete(TURNS, timeout=PATIENCE) for stream in (False, True)
    ]

    assert streamed == whole
    assert whole.text
    assert not whole.cut
    assert not whole.estimated
    assert whole.prompt_tokens == 32  # as transformers lays it out, too: test_smollm2.py
    assert 1 < whole.completion_tokens < 16


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_over_its_tokens_is_cut(client: Client, stream: bool) -> None:
    completion = await client(stream=stream).complete(STORY, timeout=PATIENCE)

    assert completion.cut
    assert completion.completion_tokens == 16


async def test_the_first_tokens_probabilities_are_told(client: Client) -> None:
    completion = await client(decoding="first_token").complete(TURNS, timeout=PATIENCE)

    logs = [logprob for _, logprob in completion.first_token]
    assert len(logs) == 20
    assert logs == sorted(logs, reverse=True)
    assert completion.first_token[0][0] == completion.text == "A"
    assert {"A", "B", "C"} < {token for token, _ in completion.first_token}


async def test_a_caller_that_goes_away_ends_the_servers_work(
    client: Client, llama: LlamaServer
) -> None:
    most = CONTEXT - 100
    llm = client(max_tokens=most, extra_body={"ignore_eos": True})
    before = llama.predicted()
    call = asyncio.create_task(llm.complete(STORY, timeout=PATIENCE))
    await until(lambda: slot_made(llama) > 0)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: not llama.slot()["is_processing"])

    assert llama.predicted() - before < most


async def test_a_prompt_over_its_context_is_an_error(client: Client) -> None:
    with pytest.raises(ModelUnavailable, match="HTTP 400"):
        await client().complete([ChatMessage("user", "gravity " * CONTEXT)], timeout=PATIENCE)


@pytest.mark.parametrize(("how", "form"), [("json_schema", '{"ranking"'), ("grammar", "[")])
async def test_an_answer_is_held_to_its_form(client: Client, how: str, form: str) -> None:
    """A toy would tell a story; how many numbers it names is up to it only with a schema."""
    llm = client(guided_decoding=how, max_tokens=64)

    completion = await llm.complete(STORY, timeout=PATIENCE, passages=5)

    assert "".join(completion.text.split()).startswith(form)
    read = parse(completion.text, 5, cut=completion.cut)
    assert read.outcome is not Outcome.UNUSABLE
    assert read.out_of_range == 0
    if how == "grammar":
        assert not completion.cut
        assert len(read.stated) + read.repeated == 5


@pytest.mark.parametrize("decoding", ["permutation", "first_token"])
async def test_a_ranking_by_it_is_complete(
    llama: LlamaServer, minilm: Encoder, documents: list[str], decoding: str
) -> None:
    options = LLMOptions.model_validate(
        {"url": llama.url, "max_tokens": 32, "decoding": decoding, "timeout": PATIENCE}
    )
    app = create_app(SidecarOptions(), minilm, load_llm(options), llm_options=options)
    hits = [
        {"id": str(place), "score": 3.0 - place, "text": text}
        for place, text in enumerate(documents)
    ]
    request = {"query": "how to read a file", "hits": hits, "strategy": "insertrank"}

    with serving(app) as url:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            answer = (await http.post("/v1/rank", json=request)).raise_for_status().json()

    assert sorted(one["id"] for one in answer["results"]) == ["0", "1", "2"]
    assert answer["usage"]["prompt_tokens"] > 100
    if decoding == "first_token":  # each letter has a probability, whatever the model thinks
        assert (answer["status"], answer["usage"]["completion_tokens"]) == ("reranked", 1)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(reached):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.05)


def slot_made(llama: LlamaServer) -> int:
    slot = llama.slot()
    return int(slot["next_token"][0]["n_decoded"]) if slot["is_processing"] else 0
