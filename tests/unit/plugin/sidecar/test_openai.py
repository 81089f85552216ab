from __future__ import annotations

import httpx
import numpy as np
import pytest

from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.vectors import from_wire
from tests.doubles import Gate, Serve, WordEncoder


def vectors(answer: httpx.Response) -> np.ndarray:
    return np.stack([from_wire(item["embedding"]) for item in answer.json()["data"]])


def test_both_formats_and_both_input_shapes_hold_the_same(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    expected = encoder._vector(["one", "text"])
    for body in (
        {"input": "one text"},
        {"input": ["one text"], "encoding_format": "float"},
        {"input": "one text", "encoding_format": "base64", "input_type": "query"},
        {"input": "one text", "model": None, "dimensions": None, "encoding_format": None},
        {"input": "one text", "user": "somebody", "unknown": 1},
    ):
        got = vectors(client.post("/v1/embeddings", json=body))
        np.testing.assert_allclose(got, [expected], atol=1e-6)


def test_shorter_vectors_are_cut_and_of_length_one(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    answer = client.post("/v1/embeddings", json={"input": "one text", "dimensions": 8})
    cut = encoder._vector(["one", "text"])[:8]
    np.testing.assert_allclose(vectors(answer), [cut / np.linalg.norm(cut)], atol=1e-6)


def test_vectors_of_another_model_are_refused_before_they_are_made(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    ours = encoder.profile.fingerprint
    body = {"input": "one text", "vector_fingerprint": ours}
    assert client.post("/v1/embeddings", json=body).status_code == 200
    refused = client.post("/v1/embeddings", json=body | {"vector_fingerprint": "another"})
    error = refused.json()["error"]
    assert (refused.status_code, error["type"]) == (409, "model_mismatch")
    assert "another" in error["message"]
    assert ours in error["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"input": [1, 2]}, "token ids"),
        ({"input": [[1], [2]]}, "token ids"),
        ({"input": []}, "input"),
        ({"input": "x", "dimensions": 7}, r"one of \[8, 16\]"),
        ({"input": "x", "input_type": "passage"}, "input_type"),
        ({}, "input"),
    ],
)
def test_what_cannot_be_embedded_is_refused(
    client: httpx.Client, body: dict[str, object], said: str
) -> None:
    answer = client.post("/v1/embeddings", json=body)
    assert answer.status_code == 422
    with pytest.raises(ValueError, match=said):
        raise ValueError(answer.json()["error"]["message"])


def test_too_many_inputs_are_refused_with_the_number(serve: Serve) -> None:
    answer = serve(max_inputs=2).post("/v1/embeddings", json={"input": ["a", "b", "c"]})
    assert answer.status_code == 422
    assert "3 inputs are more than the 2" in answer.json()["error"]["message"]


def test_a_failing_model_has_a_status_of_its_own(
    client: httpx.Client, encoder: WordEncoder
) -> None:
    def down(_: object) -> None:
        raise ModelUnavailable("the server is down")

    encoder.spoil = lambda given: given * np.float32("nan")
    assert client.post("/v1/embeddings", json={"input": "x"}).status_code == 502
    encoder.before = down
    assert client.post("/v1/embeddings", json={"input": "x"}).status_code == 503


def test_a_stalled_model_is_a_timeout(serve: Serve, encoder: WordEncoder, gate: Gate) -> None:
    client = serve(timeout=0.1)
    encoder.before = gate
    answer = client.post("/v1/embeddings", json={"input": "x"})
    assert answer.status_code == 504
    assert answer.json()["error"]["type"] == "deadline_exceeded"


def test_usage_counts_tokens_and_cut_texts(client: httpx.Client) -> None:
    answer = client.post("/v1/embeddings", json={"input": ["a b", "word " * 500]}).json()
    assert answer["usage"] == {"prompt_tokens": 4 + 64, "total_tokens": 4 + 64, "truncated": 1}
    assert "rankside_truncated_texts_total 1.0" in client.get("/metrics").text
