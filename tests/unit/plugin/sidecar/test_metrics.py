from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from plugin.ranking.hits import Strategy
from plugin.sidecar.metrics import REASONS, reason_class
from tests.doubles import Serve

JSON = {"content-type": "application/json"}


def series(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = client.get("/metrics").text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_every_series_is_visible_at_zero(client: httpx.Client) -> None:
    found = series(client)
    for name in (
        "rankside_queue_tokens",
        "rankside_admission_refusals_total",
        "rankside_batch_failures_total",
        "rankside_truncated_texts_total",
        "rankside_cache_bytes",
        "rankside_batch_tokens_count",
        "rankside_batch_inputs_count",
    ):
        assert (name, frozenset()) in found
    for name, label, values in (
        ("rankside_cache_lookups_total", "result", ("hit", "miss")),
        ("rankside_llm_tokens_total", "kind", ("prompt", "completion")),
        ("rankside_stage_seconds_count", "stage", ("queue", "tokenize", "encode", "score", "llm")),
    ):
        for value in values:
            assert found[name, frozenset({(label, value)})] == 0
    for route in ("/v1/listwise", "/v1/rank", "/v1/embeddings", "/v1/rerank", "/rerank", "other"):
        for status in (200, 401, 404, 405, 409, 413, 422, 429, 499, 500, 502, 503, 504):
            labels = {"route": route, "status": str(status)}
            assert found["rankside_requests_total", frozenset(labels.items())] == 0
    for strategy in Strategy:
        labels = {"strategy": strategy.value, "status": "passed_through", "reason": "deadline"}
        assert found["rankside_reranks_total", frozenset(labels.items())] == 0


def test_no_call_adds_a_series(client: httpx.Client) -> None:
    before = set(series(client))
    body = {"query": "q", "hits": [{"id": "1", "score": 1, "text": "t"}]}
    client.post("/v1/rank", json=body)
    client.post("/v1/rank", json={**body, "strategy": "none"})
    client.post("/v1/rerank", json={"query": "q", "documents": ["", "x"]})
    client.get("/made/up")
    client.post("/v1/embeddings", json={})
    client.post("/v1/embeddings", json={"input": "t", "vector_fingerprint": "another"})
    client.post("/v1/rank", content=b'{"query": "\xff"}', headers=JSON)
    client.post("/v1/rank/", json=body)
    client.get("/v1/rank")
    assert set(series(client)) == before


def test_two_apps_count_apart(serve: Serve) -> None:
    one, two = serve(), serve()
    one.get("/health/live")
    key = "rankside_requests_total", frozenset({("route", "/health/live"), ("status", "200")})
    assert (series(one)[key], series(two)[key]) == (1, 0)


def test_reasons_fall_into_a_closed_list() -> None:
    assert reason_class(None) == ""
    assert reason_class("stale_vectors:12") == "stale_vectors"
    assert reason_class("head_passed_through:deadline") == "head_passed_through"
    assert reason_class("something new") == "other"
    assert len(set(REASONS)) == len(REASONS)
