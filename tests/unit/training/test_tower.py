"""Batches of prompts, and the module that the trainer drives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from plugin.models import registry
from plugin.models.encoder import Encoder
from plugin.models.hardware import Placement
from plugin.models.loading import load_model
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.prompts import listwise_prompt
from training.examples import Example, Labelled
from training.objective import Lists, Objective, loss
from training.tower import Collator, Prepared, PromptData, PromptTower, frozen_vectors, prepare

EXAMPLES = [
    Example("a loaf", ("An oven.", "Bread."), (Labelled("Bread.", 2.0), Labelled("An oven.", 1.0))),
    Example("bees", ("A hive.",), (Labelled("A hive.", 1.0),)),
]


def test_a_batch_is_padded_and_shares_its_documents() -> None:
    vectors = np.eye(3, dtype=np.float32)
    rows = [Prepared([5, 6, 7], [2, 0], [1.0, 3.0]), Prepared([8], [2], [4.0])]

    batch = Collator(PromptData(rows, vectors, pad_id=9))(rows)

    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["places"].tolist() == [[2, 0], [2, -1]]
    assert batch["grades"].tolist() == [[1.0, 3.0], [4.0, 0.0]]
    assert batch["documents"][0].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_prompts_are_laid_out_and_cut_as_they_are_served(minilm: Encoder) -> None:
    tokenizer, profile = minilm.tokenizer, minilm.profile
    assert isinstance(tokenizer, HubTokenizer)
    long = Example("a loaf", ("word " * 500, "Bread."), (Labelled("Bread.", 1.0),))

    (row,) = prepare([long], profile, tokenizer, {"Bread.": 0})

    served = listwise_prompt(profile, long.query, long.passages, tokenizer)
    assert len(row.ids) == served.tokens == profile.max_tokens
    assert row.ids == tokenizer.tokenize([served.text], profile.max_tokens, [None])[0].ids


def test_a_query_that_fills_the_model_is_left_out(minilm: Encoder) -> None:
    assert isinstance(minilm.tokenizer, HubTokenizer)
    endless = Example("word " * 500, ("Bread.",), (Labelled("Bread.", 1.0),))

    rows = prepare([endless, EXAMPLES[1]], minilm.profile, minilm.tokenizer, {"A hive.": 0})

    assert len(rows) == 1


def test_the_loss_is_that_of_the_served_vectors(minilm: Encoder) -> None:
    assert isinstance(minilm.tokenizer, HubTokenizer)
    places, vectors = frozen_vectors(EXAMPLES, minilm)
    rows = prepare(EXAMPLES, minilm.profile, minilm.tokenizer, places)
    data = PromptData(rows, vectors, minilm.tokenizer.pad_id)
    batch = Collator(data)(rows)
    model = load_model(registry.get("all-minilm-l6-v2"), Placement("cpu", "float32", ""))

    with torch.inference_mode():
        found = PromptTower(model.eval(), Objective())(**batch)["loss"].item()

    prompts = [
        listwise_prompt(minilm.profile, one.query, one.passages, minilm.tokenizer).input
        for one in EXAMPLES
    ]
    queries = torch.from_numpy(minilm.encode(prompts).vectors)
    lists = Lists(batch["documents"], batch["places"], batch["grades"])
    assert found == pytest.approx(loss(queries, lists).total.item(), rel=1e-4)


def test_documents_are_constants(minilm: Encoder) -> None:
    assert isinstance(minilm.tokenizer, HubTokenizer)
    places, vectors = frozen_vectors(EXAMPLES, minilm)
    rows = prepare(EXAMPLES, minilm.profile, minilm.tokenizer, places)
    batch = Collator(PromptData(rows, vectors, minilm.tokenizer.pad_id))(rows)
    model = load_model(registry.get("all-minilm-l6-v2"), Placement("cpu", "float32", ""))

    PromptTower(model, Objective())(**batch)["loss"].backward()

    assert not batch["documents"].requires_grad
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert any(weight.grad is not None and weight.grad.any() for weight in model.parameters())
