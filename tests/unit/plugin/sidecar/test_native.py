"""The native calls over HTTP: the core's answers, and first-stage order whenever a model fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.ranking import e2rank
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.vectors import from_wire, to_base64
from plugin.ranking.wire import ListwiseAnswer, ListwiseCall, RankAnswer, RankCall
from tests.doubles import PROFILE, Gate, Serve, WordEncoder

TEXTS = ["the cat sat", "read a text file", "open a file", "taxes on goods"]
HITS = [{"id": f"d{n}", "score": 9.0 - n, "text": text} for n, text in enumerate(TEXTS)]
BODY: dict[str, Any] = {"query": "read file", "hits": HITS}


def ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["results"]]


def stored(encoder: WordEncoder) -> list[dict[str, Any]]:
    """The hits with their stored vectors and no text."""
    vectors = [encoder._vector(text.split()) for text in TEXTS]
    return [
        {"id": hit["id"], "score": hit["score"], "vector": to_base64(vector)}
        for hit, vector in zip(HITS, vectors, strict=True)
    ]


def test_listwise_gives_the_cores_vector(client: httpx.Client, encoder: WordEncoder) -> None:
    answer = ListwiseAnswer.model_validate(client.post("/v1/listwise", json=BODY).json())
    request = ListwiseCall.model_validate(BODY).to_request()
    plan = e2rank.plan(request, encoder.profile, encoder.tokenizer, documents=False)
    expected = plan.listwise_vector(encoder.encode(plan.inputs).vectors)
    assert answer.status == "reranked"
    assert answer.signals == {"listwise": 1.0, "query": 1.0}
    vector = answer.to_vector()
    assert vector is not None
    np.testing.assert_allclose(vector, expected.vector, atol=1e-6)
    assert answer.model.fingerprint == encoder.profile.fingerprint
    assert answer.usage.prompt_tokens > 0
    assert answer.timings_ms.total >= answer.timings_ms.encode > 0


def test_rank_gives_the_cores_order_with_signals_when_asked(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    body = {**BODY, "explain": True}
    answer = RankAnswer.model_validate(client.post("/v1/rank", json=body).json())
    plan = e2rank.plan(
        RankCall.model_validate(body).to_request(), encoder.profile, encoder.tokenizer
    )
    expected = plan.ranking(encoder.encode(plan.inputs).vectors)
    assert tuple(item.id for item in answer.results) == expected.ids
    assert answer.results[0].signals is not None
    assert set(answer.results[0].signals) == {"listwise", "query"}
    assert [item.rank for item in answer.results] == [1, 2, 3, 4]
    assert (answer.status, answer.strategy) == ("reranked", "e2rank")


def test_both_calls_agree_on_the_order(client: httpx.Client, encoder: WordEncoder) -> None:
    body = {**BODY, "fusion": {"listwise": 1, "query": 0.5, "first_stage": 0.3}}
    listwise = ListwiseAnswer.model_validate(client.post("/v1/listwise", json=body).json())
    vector = listwise.to_vector()
    assert vector is not None
    scored = {
        str(hit["id"]): float(vector @ encoder._vector(str(hit["text"]).split()))
        + listwise.first_stage_weight * float(str(hit["score"]))
        for hit in HITS
    }
    assert ids(client.post("/v1/rank", json=body)) == sorted(scored, key=lambda id_: -scored[id_])


def test_stored_vectors_are_used_and_not_encoded_again(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    body = {
        "query": "read file",
        "hits": stored(encoder),
        "fusion": {"query": 1},
        "vector_fingerprint": PROFILE.fingerprint,
    }
    answer = client.post("/v1/rank", json=body)
    assert answer.json()["usage"]["documents_encoded"] == 0
    assert ids(answer)[0] == "d1"


def test_stale_vectors_leave_the_first_stage_order_and_say_so(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    body = {
        "query": "read file",
        "hits": stored(encoder),
        "fusion": {"query": 1},
        "vector_fingerprint": "of-another-model",
    }
    answer = client.post("/v1/rank", json=body)
    assert answer.json()["status"] == "passed_through"
    assert answer.json()["reason"] == "stale_vectors:4"
    assert ids(answer) == ["d0", "d1", "d2", "d3"]


@pytest.mark.parametrize(
    ("fingerprint", "vector", "reason"),
    [
        ("other", [1.0] * 16, "stale_vectors:1"),
        (PROFILE.fingerprint, [1.0] * 3, "broken_vectors:1"),
    ],
)
def test_a_rocchio_vector_without_its_feedback_is_partial(
    client: httpx.Client, fingerprint: str, vector: list[float], reason: str
) -> None:
    hit = {"id": "1", "score": 1.0, "text": "t", "vector": vector}
    body = {
        "query": "q",
        "hits": [hit],
        "fusion": {"rocchio": 1},
        "vector_fingerprint": fingerprint,
    }
    answer = client.post("/v1/listwise", json=body).json()
    assert (answer["status"], answer["reason"]) == ("partial", reason)
    assert answer["vector"] is not None


def test_shorter_vectors_are_those_of_the_shorter_model(client: httpx.Client) -> None:
    full = client.post("/v1/listwise", json=BODY).json()
    short = client.post("/v1/listwise", json={**BODY, "dimensions": 8}).json()
    vector = from_wire(short["vector"])
    assert vector.shape == (8,)
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-6)
    assert short["model"]["fingerprint"] != full["model"]["fingerprint"]
    refused = client.post("/v1/listwise", json={**BODY, "dimensions": 9})
    assert refused.status_code == 422
    assert "[8, 16]" in refused.json()["error"]["message"]


def nan(encoder: WordEncoder) -> str:
    encoder.spoil = lambda vectors: vectors * np.float32("nan")
    return "encoder_output"


def wrong_dimensions(encoder: WordEncoder) -> str:
    encoder.spoil = lambda vectors: vectors[:, :5]
    return "encoder_output"


def raising(encoder: WordEncoder) -> str:
    def fail(_: object) -> None:
        raise RuntimeError("boom")

    encoder.before = fail
    return "encoder_output"


def unreachable(encoder: WordEncoder) -> str:
    def fail(_: object) -> None:
        raise ModelUnavailable("the server is down")

    encoder.before = fail
    return "encoder_unavailable"


@pytest.mark.parametrize("break_it", [nan, wrong_dimensions, raising, unreachable])
def test_a_broken_model_leaves_the_first_stage_order(
    client: httpx.Client, encoder: WordEncoder, break_it: Callable[[WordEncoder], str]
) -> None:
    reason = break_it(encoder)
    listwise = client.post("/v1/listwise", json=BODY)
    rank = client.post("/v1/rank", json=BODY)
    assert (listwise.status_code, rank.status_code) == (200, 200)
    assert listwise.json()["vector"] is None
    assert ids(rank) == ["d0", "d1", "d2", "d3"]
    for answer in (listwise, rank):
        assert answer.json()["status"] == "passed_through"
        assert answer.json()["reason"] == reason
        assert answer.headers["x-rankside-status"] == "passed_through"
        assert answer.headers["x-rankside-reason"] == reason
    series = f'strategy="e2rank",status="passed_through",reason="{reason}"'.split(",")
    counted = [
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("rankside_reranks_total") and all(part in line for part in series)
    ]
    assert [line.rsplit(" ", 1)[1] for line in counted] == ["2.0"]


def test_a_stalled_model_leaves_the_first_stage_order_at_the_deadline(
    client: httpx.Client, encoder: WordEncoder, gate: Gate
) -> None:
    encoder.before = gate
    body = {**BODY, "deadline_ms": 50}
    listwise = client.post("/v1/listwise", json=body).json()
    rank = client.post("/v1/rank", json=body).json()
    assert (listwise["vector"], listwise["reason"]) == (None, "deadline")
    assert (rank["status"], rank["reason"]) == ("passed_through", "deadline")


def test_null_stands_for_left_out(client: httpx.Client) -> None:
    optional = (
        "deadline_ms",
        "instruction",
        "fusion",
        "vector_fingerprint",
        "dimensions",
        "prompt_hits",
    )
    body = {**BODY, **dict.fromkeys(optional)}
    body["hits"] = [{**hit, "vector": None} for hit in HITS]
    assert client.post("/v1/listwise", json=body).status_code == 200
    assert client.post("/v1/rank", json={**body, "strategy": None, "window": None}).is_success


def test_unknown_fields_are_refused_by_name(client: httpx.Client) -> None:
    answer = client.post("/v1/rank", json={**BODY, "top_n": 3})
    assert answer.status_code == 422
    assert "top_n" in answer.json()["error"]["message"]


def test_limits_are_stated(serve: Serve) -> None:
    client = serve(max_hits=3)
    answer = client.post("/v1/rank", json=BODY)
    assert answer.status_code == 422
    assert "4 hits are more than the 3" in answer.json()["error"]["message"]
    long = client.post("/v1/listwise", json={"query": "word " * 100, "hits": HITS[:1]})
    assert long.status_code == 413
    assert "64" in long.json()["error"]["message"]


def test_no_hits_and_strategy_none_pass_through(client: httpx.Client) -> None:
    empty = {"query": "q", "hits": []}
    assert client.post("/v1/listwise", json=empty).json()["reason"] == "no_hits"
    assert client.post("/v1/rank", json=empty).json()["results"] == []
    none = client.post("/v1/rank", json={**BODY, "strategy": "none"})
    assert none.json()["reason"] == "strategy_none"
    assert ids(none) == ["d0", "d1", "d2", "d3"]


def test_first_stage_alone_has_no_vector(client: httpx.Client) -> None:
    body = {**BODY, "fusion": {"first_stage": 1}}
    answer = client.post("/v1/listwise", json=body).json()
    assert (answer["vector"], answer["reason"]) == (None, "no_vector_signal")
    assert ids(client.post("/v1/rank", json=body)) == ["d0", "d1", "d2", "d3"]


def test_one_long_passage_is_cut_and_reported(client: httpx.Client) -> None:
    hits = [*HITS, {"id": "long", "score": 1.0, "text": "word " * 5000}]
    answer = client.post("/v1/rank", json={"query": "read file", "hits": hits})
    assert answer.json()["status"] == "reranked"
    assert answer.json()["usage"]["truncated"] == 1


finite = st.floats(allow_nan=False, allow_infinity=False)
scores = st.floats(-3.4e38, 3.4e38)
weights = st.floats(0, 1000)
texts = st.none() | st.text(max_size=30)
vectors = st.none() | st.lists(finite, max_size=18) | st.just([0.5] * 16) | st.just([1e38] * 16)
hits = st.lists(
    st.fixed_dictionaries(
        {"id": st.text(min_size=1, max_size=5), "score": scores},
        optional={"text": texts, "vector": vectors},
    ),
    max_size=12,
    unique_by=lambda hit: hit["id"],
)


@given(
    hits=hits,
    query=st.text(min_size=1, max_size=20),
    window=st.none() | st.integers(1, 15),
    fingerprint=st.sampled_from([None, "other", PROFILE.fingerprint]),
    fusion=st.none()
    | st.fixed_dictionaries(
        {"query": st.floats(0.1, 10)},
        optional={
            "listwise": weights,
            "rocchio": st.floats(0, 9),
            "first_stage": weights,
        },
    ),
)
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_hit_comes_back_exactly_once(
    client: httpx.Client, hits: Any, query: str, window: Any, fingerprint: Any, fusion: Any
) -> None:
    body = {
        "query": query,
        "hits": hits,
        "window": window,
        "vector_fingerprint": fingerprint,
        "fusion": fusion,
    }
    answer = client.post("/v1/rank", json=body)
    if answer.status_code == 422:
        assert answer.json()["error"]["type"] == "request_error"
        return
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert sorted(item["id"] for item in results) == sorted(hit["id"] for hit in hits)
    assert [item["rank"] for item in results] == list(range(1, len(hits) + 1))
    beyond = [hit["id"] for hit in hits[window:]] if window else []
    assert [item["id"] for item in results][len(hits) - len(beyond) :] == beyond
