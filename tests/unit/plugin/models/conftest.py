"""A tiny Qwen3 model with random weights and its own tokenizer, made here and loaded for real."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

from plugin.models import registry
from plugin.ranking.profile import ModelProfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"

# The logic of Qwen3's template as far as one user turn goes: the turn, then the assistant's
# opening, and with thinking disabled an empty think block.
CHAT_TEMPLATE = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

TEXTS = [
    "Given a web search query and some relevant documents, rerank the documents",
    "Instruct: Given a web search query, retrieve relevant passages that answer the query",
    "The capital of China is Beijing. Gravity is a force that attracts two bodies.",
    "Documents: [1] [2] [3] Search Query: what is the capital of China? explain gravity",
]


def tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE with Qwen3's special tokens, and no special tokens around a text."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        show_progress=False,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    bpe.train_from_iterator(TEXTS, trainer)
    bpe.add_tokens([AddedToken(token, normalized=False) for token in ("<think>", "</think>")])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        chat_template=CHAT_TEMPLATE,
    )


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder, as transformers saves one: no sentence-transformers files."""
    folder = tmp_path_factory.mktemp("tiny-qwen3")
    made = tokenizer()
    config = Qwen3Config(
        vocab_size=len(made),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=512,
    )
    torch.manual_seed(20)
    Qwen3Model(config).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def qwen_profile() -> ModelProfile:
    """E2Rank-0.6B's entry, with the tiny model's sizes."""
    return replace(registry.get("e2rank-0.6b"), dimensions=32, max_tokens=512)
