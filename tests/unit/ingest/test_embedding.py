from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.embedding import embed_texts
from plugin.ranking.errors import ModelOutputError, Overloaded, RanksideError, SidecarRejected


class Lengths:
    """A text's vector is its length; ``poison`` texts are refused, ``errors`` come first."""

    fingerprint, model, revision, dimensions, parallel = "f", "lengths", "", 1, 1

    def __init__(self, poison: frozenset[str] = frozenset(), *errors: RanksideError) -> None:
        self.poison = poison
        self.errors = list(errors)
        self.calls: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.calls.append(list(texts))
        if self.errors:
            raise self.errors.pop(0)
        if self.poison & set(texts):
            raise SidecarRejected("the text is too long", status=413)
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    async def close(self) -> None:
        pass


async def embed(embedder: Lengths, texts: Sequence[str]) -> list[float | str | None]:
    results = await embed_texts(embedder, texts, patience=60, retried=lambda: None)
    return [float(one[0]) if isinstance(one, np.ndarray) else one for one in results]


@given(st.lists(st.text(max_size=4), max_size=12), st.data())
async def test_every_text_gets_its_own_answer(texts: list[str], data: st.DataObject) -> None:
    poison = frozenset(text for text in set(texts) if text and data.draw(st.booleans()))

    results = await embed(Lengths(poison), texts)

    assert len(results) == len(texts)
    for text, result in zip(texts, results, strict=True):
        expected = "the text is too long" if text in poison else float(len(text)) if text else None
        assert result == expected


async def test_empty_texts_are_not_sent() -> None:
    embedder = Lengths()

    assert await embed(embedder, ["", "ab", ""]) == [None, 2.0, None]
    assert await embed(embedder, ["", ""]) == [None, None]
    assert embedder.calls == [["ab"]]


async def test_a_refusal_for_now_is_waited_for() -> None:
    embedder = Lengths(frozenset(), Overloaded("queue", retry_after=0.01))

    assert await embed(embedder, ["ab"]) == [2.0]
    assert len(embedder.calls) == 2


@pytest.mark.parametrize(
    "error", [SidecarRejected("key", status=401), ModelOutputError("NaN")], ids=repr
)
async def test_what_is_not_the_text_s_fault_ends_it(error: RanksideError) -> None:
    embedder = Lengths(frozenset(), error)

    with pytest.raises(type(error)):
        await embed(embedder, ["a", "b"])
    assert len(embedder.calls) == 1
