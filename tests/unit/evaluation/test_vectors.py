from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.vectors import CachedEmbedder, CachedEncoder, RememberingTokenizer
from plugin.models.encoder import Encoder
from plugin.ranking.errors import SettingsError
from plugin.ranking.prompts import EncoderInput, InputKind


def documents(*texts: str) -> list[EncoderInput]:
    return [EncoderInput(InputKind.DOCUMENT, text) for text in texts]


def test_what_was_encoded_once_is_read_from_disk(minilm: Encoder, tmp_path: Path) -> None:
    inputs = documents("a boat", "a loaf", "a boat")
    first = CachedEncoder(minilm, tmp_path)
    steps: list[int] = []
    first.warm(first.missing(inputs), steps.append)
    assert sum(steps) == 2
    second = CachedEncoder(minilm, tmp_path)
    assert second.missing(inputs) == []
    answer = second.encode(inputs)
    assert answer.tokens == (0, 0, 0)
    np.testing.assert_allclose(answer.vectors, minilm.encode(inputs).vectors, atol=1e-5)


def test_kinds_are_kept_apart(minilm: Encoder, tmp_path: Path) -> None:
    encoder = CachedEncoder(minilm, tmp_path)
    encoder.warm(documents("a boat"))
    query = EncoderInput(InputKind.QUERY, "a boat")
    assert encoder.missing([query]) == [query]


def test_new_inputs_are_encoded_on_the_way(minilm: Encoder, tmp_path: Path) -> None:
    encoder = CachedEncoder(minilm, tmp_path)
    answer = encoder.encode(documents("a boat", "a loaf of bread"))
    assert answer.vectors.shape == (2, minilm.profile.dimensions)
    assert answer.tokens == minilm.encode(documents("a boat", "a loaf of bread")).tokens


def test_nothing_gives_nothing(minilm: Encoder, tmp_path: Path) -> None:
    encoder = CachedEncoder(minilm, tmp_path)
    encoder.warm([])
    assert encoder.encode([]).vectors.shape == (0, minilm.profile.dimensions)


def test_half_written_files_are_not_read(minilm: Encoder, tmp_path: Path) -> None:
    encoder = CachedEncoder(minilm, tmp_path)
    encoder.warm(documents("a boat"))
    (keys,) = tmp_path.rglob("*.keys")
    keys.rename(keys.with_suffix(".1.partial"))
    assert CachedEncoder(minilm, tmp_path).missing(documents("a boat"))


def test_a_folder_that_cannot_be_made_is_named(minilm: Encoder, tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("in the way")
    with pytest.raises(SettingsError, match="vectors cannot be kept"):
        CachedEncoder(minilm, tmp_path)


async def test_document_vectors_for_an_index_are_the_encoders_and_remembered(
    minilm: Encoder, tmp_path: Path
) -> None:
    encoder = CachedEncoder(minilm, tmp_path)
    embedder = CachedEmbedder(encoder)
    vectors = await embedder.embed(["a boat", "a loaf"])
    assert embedder.fingerprint == minilm.profile.fingerprint
    np.testing.assert_allclose(
        vectors, minilm.encode(documents("a boat", "a loaf")).vectors, atol=1e-5
    )
    assert CachedEncoder(minilm, tmp_path).missing(documents("a boat", "a loaf")) == []
    await embedder.close()


def test_a_text_is_tokenised_once(minilm: Encoder, tmp_path: Path) -> None:
    asked: list[str] = []

    class Counted:
        def count(self, text: str) -> int:
            asked.append(text)
            return minilm.tokenizer.count(text)

        def truncate(self, text: str, tokens: int) -> str:
            asked.append(text)
            return minilm.tokenizer.truncate(text, tokens)

        def user_turn(self, content: str) -> str:
            return minilm.tokenizer.user_turn(content)

    remembering = RememberingTokenizer(Counted())
    long = "bees " * 50
    for _ in range(2):
        assert remembering.count(long) == minilm.tokenizer.count(long)
        assert remembering.truncate(long, 7) == minilm.tokenizer.truncate(long, 7)
        assert remembering.truncate(long, 8) != remembering.truncate(long, 7)
    assert len(asked) == 3
    own = CachedEncoder(minilm, tmp_path).tokenizer
    assert own.count(long) == minilm.tokenizer.count(long)
