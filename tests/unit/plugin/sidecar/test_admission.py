from __future__ import annotations

import threading

import pytest

from plugin.ranking.errors import Overloaded
from plugin.ranking.hits import FusionWeights, Hit, RankRequest
from plugin.sidecar.admission import Admission, estimate, estimate_all, estimate_request
from plugin.sidecar.metrics import Metrics
from tests.doubles import PROFILE, Gate, Serve, WordEncoder


def admission(limit: int = 100) -> Admission:
    return Admission(limit, Metrics())


def test_work_is_admitted_up_to_the_limit_and_its_room_comes_back() -> None:
    rule = admission()
    full = pytest.raises(Overloaded, match="limit is 100")
    with rule.admit(60), rule.admit(40), full, rule.admit(1):
        pass
    with rule.admit(100):
        pass


def test_work_larger_than_the_limit_is_admitted_alone() -> None:
    rule = admission()
    with rule.admit(1000), pytest.raises(Overloaded), rule.admit(1):
        pass


def test_room_comes_back_when_the_work_fails() -> None:
    rule = admission()
    with pytest.raises(RuntimeError), rule.admit(100):
        raise RuntimeError
    with rule.admit(100):
        pass


def test_retry_after_is_what_the_measured_rate_needs_for_the_excess() -> None:
    rule = admission(1000)
    rule.worked(tokens=100, seconds=1.0)
    with rule.admit(1000), pytest.raises(Overloaded) as caught, rule.admit(500):
        pass
    assert caught.value.retry_after == 5


def test_retry_after_follows_the_rate_and_stays_in_bounds() -> None:
    rule = admission(1000)
    for _ in range(100):
        rule.worked(tokens=1, seconds=1000.0)
    with rule.admit(1000):
        with pytest.raises(Overloaded) as slow, rule.admit(500):
            pass
        for _ in range(100):
            rule.worked(tokens=10**6, seconds=0.001)
        with pytest.raises(Overloaded) as fast, rule.admit(500):
            pass
    assert (slow.value.retry_after, fast.value.retry_after) == (60, 1)


def test_estimates_are_cut_to_the_models_limit() -> None:
    assert estimate("", 64) == 2
    assert estimate("a" * 40, 64) == 12
    assert estimate("a" * 4000, 64) == 64
    assert estimate_all(["a" * 4000, "a" * 40], 64) == 76


def test_a_prompt_costs_at_most_one_model_length_and_stored_documents_nothing() -> None:
    long = "a" * 4000
    vector = WordEncoder()._vector(["x"])
    hits = tuple(Hit(str(n), 1.0, long, vector) for n in range(10))
    stored = RankRequest("q", hits, vector_fingerprint=PROFILE.fingerprint)
    stale = RankRequest("q", hits, vector_fingerprint="other")
    assert estimate_request(stored, PROFILE, documents=True) == 64 + 2
    assert estimate_request(stale, PROFILE, documents=True) == 64 + 2 + 10 * 64
    assert estimate_request(stale, PROFILE, documents=False) == 64 + 2


def test_without_a_listwise_signal_there_is_still_the_query() -> None:
    request = RankRequest("q", (Hit("1", 1.0, "text"),), fusion=FusionWeights(0, 1))
    assert estimate_request(request, PROFILE, documents=False) > 0


def test_overload_answers_429_with_retry_after_on_every_dialect(
    serve: Serve, encoder: WordEncoder, gate: Gate
) -> None:
    client = serve(queue_tokens=256)
    encoder.before = gate
    holder = threading.Thread(
        target=client.post, args=("/v1/embeddings",), kwargs={"json": {"input": ["x"] * 128}}
    )
    holder.start()
    assert gate.arrived.wait(30)
    hits = [{"id": "1", "score": 1, "text": "t"}]
    bodies = {
        "/v1/listwise": {"query": "q", "hits": hits},
        "/v1/rank": {"query": "q", "hits": hits},
        "/v1/embeddings": {"input": "x"},
        "/v1/rerank": {"query": "q", "documents": ["d"]},
        "/v2/rerank": {"query": "q", "documents": ["d"]},
        "/rerank": {"query": "q", "texts": ["d"]},
    }
    answers = [client.post(path, json=body) for path, body in bodies.items()]
    gate.open()
    holder.join()
    assert [answer.status_code for answer in answers] == [429] * 6
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert all(answer.json()["error"]["type"] == "overloaded" for answer in answers)
    assert client.post("/rerank", json=bodies["/rerank"]).status_code == 200
    assert "rankside_admission_refusals_total 6.0" in client.get("/metrics").text
