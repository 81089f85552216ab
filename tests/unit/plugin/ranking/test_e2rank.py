"""What E2Rank has embedded, and what it makes of the answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.e2rank import Plan, plan
from plugin.ranking.errors import ModelOutputError, RequestError, RequestTooLarge
from plugin.ranking.fusion import unit
from plugin.ranking.hits import FusionWeights, Hit, RankRequest, Status, Vector
from plugin.ranking.profile import PLAIN, ModelProfile, Pooling
from plugin.ranking.prompts import InputKind, Tokenizer

DIMENSIONS = 8
PROFILE = ModelProfile(
    name="model",
    location="",
    dimensions=DIMENSIONS,
    max_tokens=256,
    pooling=Pooling.MEAN,
    listwise=PLAIN,
    prompt_hits=3,
    rocchio_hits=2,
    fusion=FusionWeights(listwise=1.0),
)
ALL = FusionWeights(listwise=0.5, query=0.5, rocchio=0.5, first_stage=0.2)


def rows(seed: int, count: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)


def hits(count: int, *, vectors: bool, seed: int = 0) -> tuple[Hit, ...]:
    stored = rows(seed, count)
    return tuple(
        Hit(f"h{place}", 20.0 - place, f"text {place}", unit(stored[place]) if vectors else None)
        for place in range(count)
    )


def request(hits_: tuple[Hit, ...], fusion: FusionWeights | None = None) -> RankRequest:
    fingerprint = PROFILE.fingerprint
    return RankRequest("query", hits_, fusion=fusion, vector_fingerprint=fingerprint)


def kinds(plan_: Plan) -> list[InputKind]:
    return [input_.kind for input_ in plan_.inputs]


def test_listwise_alone_embeds_one_prompt_where_the_index_holds_vectors(words: Tokenizer) -> None:
    made = plan(request(hits(5, vectors=True)), PROFILE, words)

    assert kinds(made) == [InputKind.LISTWISE]
    assert made.inputs[0].text == "query\ntext 0\ntext 1\ntext 2"
    assert [hit.id for hit in made.prompt_hits] == ["h0", "h1", "h2"]


def test_query_and_rocchio_share_one_query_vector(words: Tokenizer) -> None:
    weights = FusionWeights(listwise=0, query=1, rocchio=1)

    made = plan(request(hits(5, vectors=True), weights), PROFILE, words)

    assert kinds(made) == [InputKind.QUERY]
    assert made.prompt is None


def test_only_hits_without_a_usable_vector_are_encoded(words: Tokenizer) -> None:
    stored = hits(4, vectors=True)
    broken = np.full(DIMENSIONS, np.nan, dtype=np.float32)
    mixed = (
        stored[0],
        replace(stored[1], vector=None),
        replace(stored[2], vector=broken),
        replace(stored[3], vector=np.ones(3, dtype=np.float32)),
        Hit("zero", 1.0, "text", np.zeros(DIMENSIONS, dtype=np.float32)),
    )

    made = plan(request(mixed), PROFILE, words)

    assert [hit.id for hit in made.encoded_hits] == ["h1", "h2", "h3", "zero"]
    assert (made.stale, made.broken) == (0, 3)


def test_vectors_of_another_fingerprint_are_not_used(words: Tokenizer) -> None:
    asked = replace(request(hits(3, vectors=True)), vector_fingerprint="0123456789abcdef")

    made = plan(asked, PROFILE, words)

    assert (len(made.encoded_hits), made.stale, dict(made.usable)) == (3, 3, {})


def test_vectors_without_a_fingerprint_are_refused(words: Tokenizer) -> None:
    asked = replace(request(hits(3, vectors=True)), vector_fingerprint=None)

    with pytest.raises(RequestError, match="vector_fingerprint"):
        plan(asked, PROFILE, words)


def test_the_fast_path_encodes_no_document(words: Tokenizer) -> None:
    made = plan(request(hits(5, vectors=False)), PROFILE, words, documents=False)

    assert kinds(made) == [InputKind.LISTWISE]


def test_prompt_hits_and_instruction_come_from_the_request_first(words: Tokenizer) -> None:
    asked = replace(request(hits(5, vectors=True)), prompt_hits=1)

    assert plan(asked, PROFILE, words).inputs[0].text == "query\ntext 0"


def test_a_listwise_prompt_needs_some_text(words: Tokenizer) -> None:
    bare = tuple(replace(hit, text=None) for hit in hits(3, vectors=True))

    with pytest.raises(RequestError, match="no prompt hit has text"):
        plan(request(bare), PROFILE, words)
    assert plan(request(bare, FusionWeights(0, 1)), PROFILE, words).prompt is None


def test_a_query_over_the_models_positions_is_refused(words: Tokenizer) -> None:
    asked = replace(request(hits(3, vectors=True)), query="w " * 300)

    with pytest.raises(RequestTooLarge, match="256"):
        plan(asked, PROFILE, words)


def test_the_order_is_that_of_the_cosine(words: Tokenizer) -> None:
    prompt = np.eye(DIMENSIONS, dtype=np.float32)[0]
    cosines = {"low": -0.5, "high": 0.9, "middle": 0.3}
    given_ = tuple(
        Hit(id_, 9.0 - place, id_, _at(cosine))
        for place, (id_, cosine) in enumerate(cosines.items())
    )

    ranking = plan(request(given_), PROFILE, words).ranking(prompt[None] * 7)

    assert ranking.ids == ("high", "middle", "low")
    assert ranking.status is Status.RERANKED
    for ranked in ranking.hits:
        assert ranked.score == pytest.approx(cosines[ranked.hit.id], abs=1e-6)
        assert dict(ranked.signals) == {"listwise": pytest.approx(cosines[ranked.hit.id], abs=1e-6)}


def _at(cosine: float) -> Vector:
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[:2] = cosine, (1 - cosine**2) ** 0.5
    return vector


def test_rocchio_takes_vectors_encoded_on_the_way_as_it_takes_stored_ones(
    words: Tokenizer,
) -> None:
    weights = FusionWeights(listwise=0, rocchio=1)
    stored = hits(4, vectors=True)
    query = rows(5, 1)
    held = plan(request(stored, weights), PROFILE, words).ranking(query)
    bare = tuple(replace(hit, vector=None) for hit in stored)
    made = plan(request(bare, weights), PROFILE, words)

    ranking = made.ranking(
        np.stack([query[0], *(hit.vector for hit in stored if hit.vector is not None)])
    )

    assert ranking.ids == held.ids
    assert [hit.score for hit in ranking.hits] == pytest.approx([hit.score for hit in held.hits])


def test_every_signal_with_weight_is_reported(words: Tokenizer) -> None:
    made = plan(request(hits(5, vectors=True), ALL), PROFILE, words)

    ranking = made.ranking(rows(1, len(made.inputs)))

    assert {tuple(hit.signals) for hit in ranking.hits} == {
        ("listwise", "query", "rocchio", "first_stage")
    }


def test_hits_with_neither_vector_nor_text_follow_and_the_reason_counts_them(
    words: Tokenizer,
) -> None:
    bare = (*hits(3, vectors=True), Hit("bare", 99.0), Hit("empty", 98.0, ""))
    made = plan(request(bare), PROFILE, words)

    ranking = made.ranking(rows(1, len(made.inputs)))

    assert ranking.ids[3:] == ("bare", "empty")
    assert (ranking.status, ranking.reason) == (Status.PARTIAL, "no_vector_and_no_text:2")


def test_no_hits_pass_through(words: Tokenizer) -> None:
    made = plan(request(()), PROFILE, words)

    assert made.inputs == ()
    ranking = made.ranking(np.zeros((0, DIMENSIONS), dtype=np.float32))
    assert (ranking.status, ranking.reason, ranking.hits) == (
        Status.PASSED_THROUGH,
        "no_hits",
        (),
    )


@pytest.mark.parametrize(
    "answer",
    [
        np.full((1, DIMENSIONS), np.nan, dtype=np.float32),
        np.full((1, DIMENSIONS), np.inf, dtype=np.float32),
        np.zeros((1, DIMENSIONS), dtype=np.float32),
        np.ones((2, DIMENSIONS), dtype=np.float32),
        np.ones((1, DIMENSIONS + 1), dtype=np.float32),
    ],
    ids=["nan", "infinite", "zero", "count", "dimensions"],
)
def test_an_unusable_answer_is_an_error_on_both_paths(
    words: Tokenizer, answer: npt.NDArray[np.float32]
) -> None:
    made = plan(request(hits(3, vectors=True)), PROFILE, words)

    with pytest.raises(ModelOutputError):
        made.ranking(answer)
    with pytest.raises(ModelOutputError):
        made.listwise_vector(answer)


WEIGHTS = st.floats(0, 2)


@given(
    st.integers(0, 999),
    st.integers(1, 12),
    st.none() | st.integers(1, 14),
    st.tuples(WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS).filter(lambda four: max(four) > 0.01),
    st.lists(st.sampled_from(["vector", "text", "neither"]), min_size=12, max_size=12),
)
def test_every_hit_comes_back_exactly_once(
    words: Tokenizer,
    seed: int,
    count: int,
    window: int | None,
    weights: tuple[float, float, float, float],
    have: list[str],
) -> None:
    some = tuple(
        replace(
            hit,
            vector=hit.vector if have[place] == "vector" else None,
            text=hit.text if place == 0 or have[place] != "neither" else None,
        )
        for place, hit in enumerate(hits(count, vectors=True, seed=seed))
    )
    asked = replace(request(some, FusionWeights(*weights)), window=window)
    made = plan(asked, PROFILE, words)

    ranking = made.ranking(rows(seed + 1, len(made.inputs)))

    assert sorted(ranking.ids) == sorted(hit.id for hit in some)
    assert ranking.status in (Status.RERANKED, Status.PARTIAL)


@given(
    st.integers(0, 999),
    st.integers(1, 12),
    st.tuples(WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS).filter(lambda four: max(four) > 0.01),
)
def test_the_fast_path_orders_stored_vectors_as_the_explicit_ranking_does(
    words: Tokenizer, seed: int, count: int, weights: tuple[float, float, float, float]
) -> None:
    asked = request(hits(count, vectors=True, seed=seed), FusionWeights(*weights))
    answer = rows(seed + 1, 2)
    fast = plan(asked, PROFILE, words, documents=False)
    full = plan(asked, PROFILE, words)
    assert fast.inputs == full.inputs

    fused = fast.listwise_vector(answer[: len(fast.inputs)])
    ranking = full.ranking(answer[: len(full.inputs)])

    scores = {hit.hit.id: hit.score or 0.0 for hit in ranking.hits}

    def rescored(hit: Hit) -> float:
        assert hit.vector is not None
        return float(fused.vector @ hit.vector) + fused.first_stage_weight * hit.score

    by_engine = [scores[hit.id] for hit in sorted(asked.hits, key=rescored, reverse=True)]
    assert all(after <= before + 1e-4 for before, after in pairwise(by_engine))
