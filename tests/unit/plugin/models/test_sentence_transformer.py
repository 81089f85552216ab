"""The in-process encoder over a tiny Qwen3: the code path of E2Rank, with weights made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from plugin.models.hardware import Placement
from plugin.models.loading import load_model
from plugin.models.sentence_transformer import SentenceTransformerEncoder
from plugin.ranking.errors import ModelOutputError, ModelUnavailable
from plugin.ranking.profile import E2RANK_README, ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput, InputKind, listwise_prompt

CPU = Placement("cpu", "float32", "for tests")
Make = Callable[..., SentenceTransformerEncoder]


@pytest.fixture(scope="module")
def make(qwen_folder: Path, qwen_profile: ModelProfile) -> Make:
    def encoder(batch_tokens: int = 16_384, **changes: Any) -> SentenceTransformerEncoder:
        profile = replace(qwen_profile, **changes)
        model = load_model(profile, CPU, path=qwen_folder)
        return SentenceTransformerEncoder(profile, model, batch_tokens=batch_tokens)

    return encoder


@pytest.fixture(scope="module")
def encoder(make: Make) -> SentenceTransformerEncoder:
    return make()


def document(text: str) -> EncoderInput:
    return EncoderInput(InputKind.DOCUMENT, text)


def query(text: str) -> EncoderInput:
    return EncoderInput(InputKind.QUERY, text)


def listwise(text: str) -> EncoderInput:
    return EncoderInput(InputKind.LISTWISE, text)


INPUTS = [
    document("Gravity is a force."),
    query("what is the capital of China?"),
    document("The capital of China is Beijing. " * 20),
    listwise("Documents: [1] Gravity"),
    document(""),
    document("naïve 北京 🦀"),
]


def reference(folder: Path, ids: list[int], *, left: int = 0) -> np.ndarray[Any, Any]:
    """The last token's state, from transformers alone, after ``left`` tokens of left padding."""
    model = AutoModel.from_pretrained(folder).eval()
    mask = torch.tensor([[0] * left + [1] * len(ids)])
    with torch.inference_mode():
        states = model(
            input_ids=torch.tensor([[0] * left + ids]),
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
        ).last_hidden_state
    last = states[0, -1].numpy()
    answer: np.ndarray[Any, Any] = last / np.linalg.norm(last)
    return answer


def ids_of(encoder: SentenceTransformerEncoder, text: str) -> list[int]:
    return encoder.tokenizer.tokenize([text], 512, [None])[0].ids


def test_vectors_are_unit_float32_in_input_order(encoder: SentenceTransformerEncoder) -> None:
    answer = encoder.encode(INPUTS)

    assert answer.vectors.shape == (len(INPUTS), 32)
    assert answer.vectors.dtype == np.float32
    assert np.linalg.norm(answer.vectors, axis=1) == pytest.approx(np.ones(len(INPUTS)), abs=1e-6)
    for place, input_ in enumerate(INPUTS):
        assert encoder.encode([input_]).vectors[0] == pytest.approx(answer.vectors[place], abs=1e-5)


def test_no_inputs_no_vectors(encoder: SentenceTransformerEncoder) -> None:
    answer = encoder.encode([])

    assert (answer.vectors.shape, answer.tokens, answer.truncated) == ((0, 32), (), ())


def test_queries_and_documents_are_pooled_at_the_end_token(
    encoder: SentenceTransformerEncoder, qwen_folder: Path
) -> None:
    end = encoder.tokenizer.token_id("<|endoftext|>")
    ids = [*ids_of(encoder, "Gravity is a force."), end]

    answer = encoder.encode([document("Gravity is a force."), query("Gravity is a force.")])

    assert answer.vectors[0] == pytest.approx(reference(qwen_folder, ids), abs=1e-5)
    assert answer.vectors[1] == pytest.approx(answer.vectors[0], abs=1e-5)
    assert answer.tokens == (len(ids), len(ids))


def test_a_listwise_prompt_is_pooled_at_its_own_last_token(
    encoder: SentenceTransformerEncoder, qwen_folder: Path
) -> None:
    text = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    ids = ids_of(encoder, text)

    answer = encoder.encode([listwise(text), document("neighbour " * 50)])

    assert answer.tokens[0] == len(ids)
    assert answer.vectors[0] == pytest.approx(reference(qwen_folder, ids), abs=1e-5)


def test_left_padding_gives_the_same_vector(
    encoder: SentenceTransformerEncoder, qwen_folder: Path
) -> None:
    ids = ids_of(encoder, "The capital of China")

    padded = reference(qwen_folder, ids, left=9)
    answer = encoder.encode([listwise("The capital of China"), listwise("Gravity " * 40)])

    assert answer.vectors[0] == pytest.approx(padded, abs=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_order_batch_size_and_neighbours_do_not_change_a_vector(
    make: Make, encoder: SentenceTransformerEncoder, batch_tokens: int
) -> None:
    together = encoder.encode(INPUTS).vectors
    batched = make(batch_tokens=batch_tokens)

    backwards = batched.encode(INPUTS[::-1]).vectors[::-1]

    assert np.abs(backwards - together).max() <= 1e-5


def test_long_texts_are_cut_before_the_end_token_and_reported(make: Make) -> None:
    short = make(max_tokens=8)
    end = short.tokenizer.token_id("<|endoftext|>")
    long = "The capital of China is Beijing. " * 5
    ids = ids_of(make(), long)
    kept = short.tokenizer.tokenize([long], 8, [end])[0]

    answer = short.encode([document(long), document("Gravity"), listwise(long)])

    assert kept.ids == [*ids[:7], end]
    assert answer.tokens == (8, 2 + len(ids_of(short, "Gravity")) - 1, 8)
    assert answer.truncated == (True, False, True)


def test_a_text_of_exactly_the_limit_is_not_cut(make: Make) -> None:
    tokens = len(ids_of(make(), "The capital of China is Beijing."))

    answer = make(max_tokens=tokens + 1).encode([document("The capital of China is Beijing.")])

    assert (answer.tokens, answer.truncated) == ((tokens + 1,), (False,))


def test_the_evaluated_prompt_through_the_chat_template(
    encoder: SentenceTransformerEncoder,
) -> None:
    prompt = listwise_prompt(
        encoder.profile, "explain gravity", ["Beijing.", "A force."], encoder.tokenizer
    )

    assert prompt.text == (
        "<|im_start|>user\n"
        "Given a web search query and some relevant documents, rerank the documents that answer "
        "the query:\n"
        "Documents:\n"
        "[1] Beijing.\n"
        "[2] A force.\n"
        "Search Query: explain gravity<|im_end|>\n"
        "<|im_start|>assistant\n"
        "<think>\n\n</think>\n\n"
    )
    assert encoder.encode([prompt.input]).tokens == (prompt.tokens,)


def test_the_readme_prompt_through_the_chat_template(make: Make) -> None:
    encoder = make(listwise=E2RANK_README)

    prompt = listwise_prompt(
        encoder.profile, "explain gravity", ["Beijing.", "A force."], encoder.tokenizer
    )

    assert prompt.text == (
        "<|im_start|>user\n"
        "Given a web search query and some relevant documents, rerank the documents that answer "
        "the query:\n"
        "Documents:\n"
        "[1] Beijing.<|endoftext|>\n"
        "[2] A force.<|endoftext|>Search Query:explain gravity<|im_end|>\n"
        "<|im_start|>assistant\n"
        "<think>\n\n</think>\n\n"
    )


@pytest.mark.parametrize("limit", [120, 200, 400])
def test_a_prompt_over_a_real_vocabulary_fits_the_positions(make: Make, limit: int) -> None:
    encoder = make(max_tokens=limit)
    passages = ["naïve 北京 🦀 " * 30, "Gravity", "The capital of China. " * 40]

    prompt = listwise_prompt(encoder.profile, "gravity", passages, encoder.tokenizer)
    answer = encoder.encode([prompt.input])

    assert prompt.tokens == answer.tokens[0] <= limit
    assert answer.truncated == (False,)
    assert "[2] Gravity\n" in prompt.text
    assert prompt.text.endswith("</think>\n\n")
    assert prompt.truncated == 2


def fail_above(encoder: SentenceTransformerEncoder, rows: int, error: Exception) -> list[int]:
    """Let passes over more than ``rows`` texts fail; the answer collects the sizes of all."""
    forward, sizes = encoder._model.forward, []

    def failing(features: dict[str, torch.Tensor], **kwargs: Any) -> Any:
        sizes.append(len(features["input_ids"]))
        if sizes[-1] > rows:
            raise error
        return forward(features, **kwargs)

    encoder._model.forward = failing  # type: ignore[method-assign,assignment]
    return sizes


def test_out_of_memory_halves_the_batch_until_it_fits(
    make: Make, encoder: SentenceTransformerEncoder
) -> None:
    failing = make()
    sizes = fail_above(failing, 2, torch.OutOfMemoryError("CUDA out of memory"))

    answer = failing.encode(INPUTS)

    assert sizes == [6, 3, 1, 2, 3, 1, 2]
    assert np.abs(answer.vectors - encoder.encode(INPUTS).vectors).max() <= 1e-5


def test_out_of_memory_on_one_text_names_its_length(make: Make) -> None:
    failing = make()
    fail_above(failing, 0, torch.OutOfMemoryError("CUDA out of memory"))

    with pytest.raises(ModelUnavailable, match=r"one text of \d+ tokens") as caught:
        failing.encode(INPUTS)
    assert not caught.value.fatal


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"),
        torch.AcceleratorError("device-side assert triggered"),
    ],
    ids=["cublas", "accelerator"],
)
def test_a_broken_cuda_context_is_fatal(make: Make, error: Exception) -> None:
    failing = make()
    fail_above(failing, 0, error)

    with pytest.raises(ModelUnavailable, match="restart") as caught:
        failing.encode(INPUTS)
    assert caught.value.fatal


@pytest.mark.parametrize("error", [RuntimeError("expected scalar type"), IndexError("index")])
def test_another_failure_of_the_model_is_its_output(make: Make, error: Exception) -> None:
    failing = make()
    fail_above(failing, 0, error)

    with pytest.raises(ModelOutputError, match=type(error).__name__):
        failing.encode(INPUTS)


def test_nan_is_an_error(make: Make) -> None:
    broken = make()
    with torch.no_grad():
        next(broken._model.parameters()).fill_(float("nan"))

    with pytest.raises(ModelOutputError, match="NaN"):
        broken.encode(INPUTS[:1])


def test_a_profile_without_normalisation_leaves_lengths_alone(
    make: Make, encoder: SentenceTransformerEncoder
) -> None:
    raw = make(normalize=False).encode(INPUTS[:1]).vectors[0]

    assert np.linalg.norm(raw) > 1.1
    unit = encoder.encode(INPUTS[:1]).vectors[0]
    assert raw / np.linalg.norm(raw) == pytest.approx(unit, abs=1e-6)


def test_pooling_is_the_profiles(make: Make, qwen_folder: Path) -> None:
    mean = make(pooling=Pooling.MEAN, end_token=None).encode([document("Gravity is")]).vectors[0]
    model = AutoModel.from_pretrained(qwen_folder).eval()
    ids = torch.tensor([ids_of(make(), "Gravity is")])
    with torch.inference_mode():
        states = model(input_ids=ids).last_hidden_state[0].mean(dim=0).numpy()

    assert mean == pytest.approx(states / np.linalg.norm(states), abs=1e-5)


def test_an_end_token_the_vocabulary_lacks_is_refused(make: Make) -> None:
    with pytest.raises(ModelUnavailable, match="no token '<eos>'"):
        make(end_token="<eos>")


def test_a_chat_layout_without_a_chat_template_is_refused(
    qwen_folder: Path, qwen_profile: ModelProfile
) -> None:
    model = load_model(qwen_profile, CPU, path=qwen_folder)
    model.tokenizer.chat_template = None

    with pytest.raises(ModelUnavailable, match="plain layout"):
        SentenceTransformerEncoder(qwen_profile, model)
