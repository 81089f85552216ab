"""A real model in this process, by a real GGUF file: a toy ranker, so of its orders nothing here.

What it must give is what llama.cpp gives for the same file (tests/contract/test_llama_cpp.py).
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from transformers import PreTrainedModel

from plugin.models.encoder import Encoder
from plugin.models.llm_options import LLMOptions
from plugin.models.local.llm import LocalLLM
from plugin.models.local.loading import load_causal
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.llm_prompt import ChatMessage
from plugin.ranking.permutation import Outcome, parse
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving
from tests.smollm2 import PATIENCE, gguf_file

TURNS = [
    ChatMessage("system", "You rank."),
    ChatMessage("user", "Which is best? A or B or C. Answer with a letter."),
]
TEXTS = [
    "Cats purr when they are content, and sometimes when they are ill.",
    "open() opens a file and returns a stream; read() returns its whole text.",
    "A tariff is a tax on imported goods.",
]

Loaded = tuple[PreTrainedModel, HubTokenizer]


def options(**settings: Any) -> LLMOptions:
    common = {"path": gguf_file(), "device": "cpu", "dtype": "float32", "max_tokens": 32}
    return LLMOptions.model_validate({**common, "timeout": PATIENCE, **settings})


@pytest.fixture(scope="session")
def loaded() -> Loaded:
    """Loaded once: transformers takes its time to widen a GGUF file."""
    return load_causal(options(), gguf_file())


async def test_an_answer_ends_where_the_model_ends_it(loaded: Loaded) -> None:
    llm = LocalLLM(options(), *loaded)

    completion = await llm.complete(TURNS, timeout=PATIENCE)
    await llm.close()

    assert completion.text.startswith("A")
    assert not completion.cut
    assert completion.prompt_tokens == 32
    assert 1 < completion.completion_tokens < 32


async def test_held_to_its_form_even_a_toy_writes_an_order(loaded: Loaded) -> None:
    llm = LocalLLM(options(guided_decoding="grammar", max_tokens=64), *loaded)

    completion = await llm.complete(TURNS, timeout=PATIENCE, passages=4)
    await llm.close()

    assert parse(completion.text, 4).outcome is Outcome.CLEAN
    assert not completion.cut


async def test_the_first_token_tells_what_llama_cpp_tells(loaded: Loaded) -> None:
    llm = LocalLLM(options(decoding="first_token"), *loaded)

    completion = await llm.complete(TURNS, timeout=PATIENCE)
    await llm.close()

    told = dict(completion.first_token)
    assert completion.text == "A"
    # llama.cpp of 2026-10 with this file and prompt; it computes with 8 bits what is 32 here.
    for letter, logprob in {"A": -0.393, "B": -3.571, "C": -3.837, "D": -4.739}.items():
        assert told[letter] == pytest.approx(logprob, abs=0.25)


@pytest.mark.parametrize("decoding", ["permutation", "first_token"])
async def test_a_ranking_by_it_is_complete(loaded: Loaded, minilm: Encoder, decoding: str) -> None:
    settings = options(decoding=decoding, context_tokens=2048)
    app = create_app(SidecarOptions(), minilm, LocalLLM(settings, *loaded), llm_options=settings)
    hits = [
        {"id": str(place), "score": 3.0 - place, "text": text} for place, text in enumerate(TEXTS)
    ]
    request = {"query": "how to read a file", "hits": hits, "strategy": "insertrank"}

    with serving(app) as url:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            answer = (await http.post("/v1/rank", json=request)).raise_for_status().json()

    assert sorted(one["id"] for one in answer["results"]) == ["0", "1", "2"]
    assert answer["usage"]["prompt_tokens"] > 100
    if decoding == "first_token":  # each letter has a probability, whatever the model thinks
        assert (answer["status"], answer["usage"]["completion_tokens"]) == ("reranked", 1)
