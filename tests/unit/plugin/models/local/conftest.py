"""A tiny chat model with random weights, made here and loaded for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from plugin.models.llm_options import LLMOptions
from plugin.models.local.llm import LocalLLM
from plugin.models.local.loading import load_causal
from tests.unit.plugin.models.conftest import tokenizer

POSITIONS = 256
Make = Callable[..., LocalLLM]


def model(*, mute: bool = False) -> PreTrainedModel:
    """With ``mute`` every token is as likely as the others, so that greedily 0 is made."""
    torch.manual_seed(20)
    made = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer()),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=POSITIONS,
            eos_token_id=None,
        )
    )
    if mute:
        torch.nn.init.zeros_(made.lm_head.weight)
        made.generation_config.eos_token_id = [0]
    return made


@pytest.fixture(scope="session")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-chat")
    model().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def mute_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-mute")
    model(mute=True).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def make(chat_folder: Path) -> Iterator[Make]:
    """An LLM of the folder, by settings."""
    made: list[LocalLLM] = []

    def llm(**settings: Any) -> LocalLLM:
        options = LLMOptions.model_validate({"path": chat_folder, "device": "cpu", **settings})
        assert options.path is not None
        made.append(LocalLLM(options, *load_causal(options, options.path)))
        return made[-1]

    yield llm
    for one in made:
        one._thread.shutdown(wait=True, cancel_futures=True)
