"""The dialects that send bare texts."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.ranking.hits import FusionWeights
from plugin.sidecar.texts import unit_score
from tests.doubles import Serve, WordEncoder

TEXTS = ["the cat sat", "read a text file", "", "taxes on goods"]
QUERY = "read file"


def scored(answer: httpx.Response) -> list[tuple[int, float]]:
    body = answer.json()
    if isinstance(body, list):
        return [(item["index"], item["score"]) for item in body]
    return [(item["index"], item["relevance_score"]) for item in body["results"]]


CALLS: list[tuple[str, str]] = [
    ("/v1/rerank", "documents"),
    ("/v2/rerank", "documents"),
    ("/rerank", "documents"),
    ("/rerank", "texts"),
]


@pytest.mark.parametrize(("path", "name"), CALLS)
def test_every_text_comes_back_best_first(client: httpx.Client, path: str, name: str) -> None:
    answer = client.post(path, json={"query": QUERY, name: TEXTS})
    pairs = scored(answer)
    assert sorted(index for index, _ in pairs) == [0, 1, 2, 3]
    assert pairs[0][0] == 1
    assert pairs[-1] == (2, 0.0)
    assert answer.headers["x-rankside-status"] == "partial"
    assert answer.headers["x-rankside-reason"] == "no_text:1"


def test_one_path_two_answers(client: httpx.Client) -> None:
    texts = client.post("/rerank", json={"query": QUERY, "texts": TEXTS, "documents": None})
    documents = client.post("/rerank", json={"query": QUERY, "documents": TEXTS, "texts": None})
    assert isinstance(texts.json(), list)
    assert set(documents.json()) == {"id", "model", "results", "meta", "usage"}
    neither = client.post("/rerank", json={"query": QUERY})
    assert neither.status_code == 422
    assert "`texts` or as `documents`" in neither.json()["error"]["message"]
    assert client.post("/rerank", json=[1]).status_code == 422


@pytest.mark.parametrize(("path", "name"), CALLS)
def test_null_stands_for_left_out_and_unknown_fields_are_ignored(
    client: httpx.Client, path: str, name: str
) -> None:
    optional = ("model", "top_n", "return_documents", "rank_fields", "raw_scores", "return_text")
    body = {"query": QUERY, name: TEXTS, **dict.fromkeys(optional), "truncate": True, "new": 1}
    assert len(scored(client.post(path, json=body))) == 4


@pytest.mark.parametrize(("path", "name"), CALLS)
def test_scores_are_written_as_floats(client: httpx.Client, path: str, name: str) -> None:
    text = client.post(path, json={"query": QUERY, name: TEXTS}).text
    written = re.findall(r'score":\s*([^,}\]]+)', text)
    assert len(written) == 4
    assert all("." in number or "e" in number for number in written)
    assert "0.0" in written


@pytest.mark.parametrize(("path", "name"), CALLS)
def test_a_broken_model_leaves_the_order_sent_with_falling_scores(
    client: httpx.Client, encoder: WordEncoder, path: str, name: str
) -> None:
    encoder.spoil = lambda vectors: vectors * float("nan")
    answer = client.post(path, json={"query": QUERY, name: TEXTS})
    assert scored(answer) == [(0, 1.0), (1, 0.75), (2, 0.5), (3, 0.25)]
    assert answer.headers["x-rankside-status"] == "passed_through"
    assert answer.headers["x-rankside-reason"] == "encoder_output"


def test_a_query_over_the_models_length_leaves_the_order_sent(client: httpx.Client) -> None:
    answer = client.post("/rerank", json={"query": "word " * 100, "texts": TEXTS})
    assert [index for index, _ in scored(answer)] == [0, 1, 2, 3]
    assert answer.headers["x-rankside-reason"] == "query_too_long"


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]])
def test_nothing_to_rank_is_no_error(client: httpx.Client, texts: list[str]) -> None:
    answer = client.post("/rerank", json={"query": QUERY, "texts": texts})
    assert [index for index, _ in scored(answer)] == list(range(len(texts)))
    assert answer.headers["x-rankside-status"] == "passed_through"


def test_top_n_and_documents_as_their_apis_say(client: httpx.Client) -> None:
    body = {"query": QUERY, "documents": TEXTS, "top_n": 1, "return_documents": True}
    (best,) = client.post("/v1/rerank", json=body).json()["results"]
    assert best["document"] == {"text": TEXTS[1]}
    plain = client.post("/v1/rerank", json={**body, "return_documents": None, "top_n": 50})
    assert len(plain.json()["results"]) == 4
    assert "document" not in plain.json()["results"][0]
    assert client.post("/v1/rerank", json={**body, "top_n": 0}).status_code == 422


@pytest.mark.parametrize(
    ("documents", "fields"),
    [
        ([{"text": text, "url": "read file"} for text in TEXTS], None),
        ([{"title": text, "n": 3} for text in TEXTS], None),
        ([{"a": text, "text": "read file"} for text in TEXTS], ["a", "absent"]),
    ],
)
def test_documents_may_be_objects(client: httpx.Client, documents: Any, fields: Any) -> None:
    body = {"query": QUERY, "documents": documents, "rank_fields": fields}
    answer = client.post("/v1/rerank", json={**body, "return_documents": True}).json()
    assert answer["results"][0]["index"] == 1
    assert answer["results"][0]["document"] == documents[1]


def test_tei_gives_raw_scores_and_texts_when_asked(client: httpx.Client) -> None:
    body = {"query": QUERY, "texts": TEXTS, "raw_scores": True, "return_text": True}
    answer = client.post("/rerank", json=body).json()
    assert [item["text"] for item in answer] == [TEXTS[item["index"]] for item in answer]
    raw = [item["score"] for item in answer]
    assert raw == sorted(raw, reverse=True)
    assert max(raw) > 1  # two signals of weight 1 each


def test_documents_seen_before_are_not_encoded_again(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    body = {"query": QUERY, "documents": TEXTS}
    first = client.post("/v1/rerank", json=body)
    encoder.batches.clear()
    second = client.post("/v1/rerank", json=body)
    assert scored(first) == scored(second)
    assert [len(batch) for batch in encoder.batches] == [2]  # the prompt and the query
    assert 'rankside_cache_lookups_total{result="hit"} 3.0' in client.get("/metrics").text


def test_without_a_cache_scores_are_the_same(serve: Serve, client: httpx.Client) -> None:
    body = {"query": QUERY, "documents": TEXTS}
    other = serve(cache_bytes=0)
    assert scored(other.post("/v1/rerank", json=body)) == scored(
        client.post("/v1/rerank", json=body)
    )


def test_unit_scores_are_a_mean_cosine_between_0_and_1() -> None:
    weights = FusionWeights(listwise=1, query=3, first_stage=5)
    assert unit_score(4.0, weights) == 1.0
    assert unit_score(0.0, weights) == 0.5
    assert unit_score(-4.0, weights) == 0.0
    assert unit_score(4.0000001, weights) == 1.0
    assert unit_score(0.0, FusionWeights(0, 0, 0, 1)) == 0.5


@given(
    texts=st.lists(st.text(max_size=30), max_size=15),
    query=st.text(min_size=1, max_size=30).filter(str.strip),
)
@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_text_exactly_once_and_no_negative_score(
    client: httpx.Client, texts: list[str], query: str
) -> None:
    answer = client.post("/rerank", json={"query": query, "texts": texts})
    assert answer.status_code == 200, answer.text
    pairs = scored(answer)
    assert sorted(index for index, _ in pairs) == list(range(len(texts)))
    values = [score for _, score in pairs]
    assert all(0 <= score <= 1 for score in values)
    assert values == sorted(values, reverse=True)
    assert json.loads(answer.text) == answer.json()
