from __future__ import annotations

import json
import re
from typing import Any

import pytest

from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SPACES, Raw, SidecarTarget, request_template
from pipelines.options import EnginePath, PipelineOptions

OPTIONS = PipelineOptions()
KEYED = SidecarTarget("https://sidecar/", "e2rank-0.6b", "s3cret")


def filled(template: str, values: dict[str, Any]) -> dict[str, Any]:
    """The request as an engine makes it: JSON in place of each variable outside quotes."""

    def value(match: re.Match[str]) -> str:
        quoted = template[match.start() - 1] == '"'
        found = values[match.group(1)]
        return str(found) if quoted else json.dumps(found)

    body: dict[str, Any] = json.loads(re.sub(r"\$\{(.+?)\}", value, template))
    return body


def test_a_request_template_quotes_all_but_places_for_json() -> None:
    template = request_template({"input": Raw("${input}"), "model": 'a "quoted" one', "n": 3})
    assert filled(template, {"input": ["x", 'y"z']}) == {
        "input": ["x", 'y"z'],
        "model": 'a "quoted" one',
        "n": 3,
    }


def test_opensearch_asks_for_document_vectors_it_can_read(
    target: SidecarTarget, meta: IndexMeta
) -> None:
    body = bodies.embed_connector("rankside-embed", target, meta, OPTIONS)
    (action,) = body["actions"]
    values = {"parameters.input": ["one", "two"], "parameters.model": body["parameters"]["model"]}
    assert action["url"] == "http://sidecar:8080/v1/embeddings"
    assert filled(action["request_body"], values) == {
        "input": ["one", "two"],
        "model": "all-minilm-l6-v2",
        "input_type": "document",
        "dimensions": 384,
        "encoding_format": "float",  # the post-process function reads no base64
        "vector_fingerprint": meta.fingerprint,  # another model's vectors are refused
    }


def test_elasticsearch_refuses_the_vectors_of_another_model(
    target: SidecarTarget, meta: IndexMeta
) -> None:
    settings = bodies.embed_endpoint(target, meta, OPTIONS)["service_settings"]
    values = {"input": ["one"], "input_type": "document"}
    assert filled(settings["request"], values)["vector_fingerprint"] == meta.fingerprint


def test_opensearch_asks_for_every_score(target: SidecarTarget) -> None:
    (action,) = bodies.rerank_connector("rankside-rerank", target, OPTIONS)["actions"]
    values = {
        "parameters.documents": ["a", "b"],
        "parameters.query": "q",
        "parameters.model": "m",
        "parameters.top_n": 2,
    }
    assert filled(action["request_body"], values) == {
        "documents": ["a", "b"],
        "query": "q",
        "model": "m",
        "top_n": 2,
    }


def test_without_a_key_no_authorization_is_sent(target: SidecarTarget, meta: IndexMeta) -> None:
    connector = bodies.embed_connector("x", target, meta, OPTIONS)
    assert "Authorization" not in connector["actions"][0]["headers"]
    assert connector["credential"], "ml-commons refuses a connector without one"
    assert "Authorization" not in bodies.rerank_endpoint(target)["service_settings"]["headers"]


@pytest.mark.parametrize("field", ["credential", "secret_parameters"])
def test_a_key_stands_in_the_secret_part_alone(field: str, meta: IndexMeta) -> None:
    made: dict[str, Any] = (
        bodies.embed_connector("x", KEYED, meta, OPTIONS)
        if field == "credential"
        else bodies.embed_endpoint(KEYED, meta, OPTIONS)["service_settings"]
    )
    assert "s3cret" in made.pop(field).values()
    assert "s3cret" not in json.dumps(made)
    assert "Authorization" in json.dumps(made)


def test_timeouts_and_batches_are_settable(target: SidecarTarget, meta: IndexMeta) -> None:
    options = PipelineOptions(ingest_timeout=60, search_timeout=1, batch_size=7)
    embed = bodies.embed_connector("x", target, meta, options)["client_config"]
    rerank = bodies.rerank_connector("x", target, options)["client_config"]
    assert embed == {"connection_timeout": 5, "read_timeout": 60, "max_retry_times": 1}
    assert rerank == {"connection_timeout": 1, "read_timeout": 1, "max_retry_times": 0}
    pipeline = bodies.opensearch_ingest(meta, "id", options)
    assert pipeline["processors"][1]["text_embedding"]["batch_size"] == 7


def test_a_document_that_cannot_be_embedded_is_indexed_or_rejected(meta: IndexMeta) -> None:
    indexed = bodies.opensearch_ingest(meta, "id", OPTIONS)["processors"]
    (handler,) = indexed[1]["text_embedding"]["on_failure"]
    # The hash goes too: it would claim a vector of the text.
    assert handler["remove"]["field"] == ["rankside_vector", "rankside_hash"]
    rejecting = PipelineOptions(on_embed_failure="fail")
    rejected = bodies.opensearch_ingest(meta, "id", rejecting)["processors"]
    assert "on_failure" not in rejected[1]["text_embedding"]
    assert indexed[0] == rejected[0]
    assert (
        indexed[2]
        == rejected[2]
        == {"remove": {"field": "rankside_text_to_embed", "ignore_missing": True}}
    )


def test_search_goes_on_where_the_sidecar_fails() -> None:
    (processor,) = bodies.opensearch_search("id", ["title", "text"])["response_processors"]
    assert processor["rerank"]["ignore_failure"] is True
    assert processor["rerank"]["context"]["document_fields"] == ["title", "text"]


def test_both_sides_strip_the_same_characters() -> None:
    assert set(SPACES) == {chr(code) for code in range(0x110000) if chr(code).isspace()}


def test_the_plugins_search_pipeline_has_the_window_of_the_settings(target: SidecarTarget) -> None:
    plain, sized = [
        bodies.plugin_search(target, PipelineOptions(path=EnginePath.PLUGIN, window=window))
        for window in (None, 50)
    ]
    assert "window" not in plain["request_processors"][0]["rankside"]
    assert sized["request_processors"][0]["rankside"]["window"] == 50
