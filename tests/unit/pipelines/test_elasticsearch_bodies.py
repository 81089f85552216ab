"""Elasticsearch's bodies against its documentation, since the test node has no inference.

Sources: *Create a custom inference endpoint* and *Inference processor* of Elasticsearch's
reference, and the sources of `CustomServiceSettings` and `InputTypeTranslator`. What is shown here:
no field that the pages do not name, none missing that they require, only variables that the task
defines, paths that read our sidecar's answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from elasticsearch import Elasticsearch
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.options import PipelineOptions
from tests.serving import serving

OPTIONS = PipelineOptions()
VARIABLE = re.compile(r"\$\{(\w+)\}")
PATH = re.compile(r"^\$(\.\w+(\[\*\])?)+$")


class Documented(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EmbeddingsParser(Documented):
    text_embeddings: str
    embedding_type: Literal["float", "bit", "binary", "byte"] = "float"


class RerankParser(Documented):
    relevance_score: str
    reranked_index: str | None = None
    document_text: str | None = None


class Response(Documented):
    json_parser: EmbeddingsParser | RerankParser


class InputType(Documented):
    translation: dict[Literal["classification", "clustering", "ingest", "search"], str]
    default: str = ""


class ServiceSettings(Documented):
    secret_parameters: dict[str, str]
    url: str
    request: str
    response: Response
    headers: dict[str, str] = {}
    query_parameters: list[tuple[str, str]] = []
    input_type: InputType | None = None
    batch_size: int = Field(default=10, ge=1)
    similarity: Literal["cosine", "dot_product", "l2_norm"] | None = None
    dimensions: int | None = None
    max_input_tokens: int | None = None
    rate_limit: dict[Literal["requests_per_minute"], int] = {}


class Endpoint(Documented):
    service: Literal["custom"]
    service_settings: ServiceSettings


class InputOutput(Documented):
    input_field: str
    output_field: str


class InferenceProcessor(Documented):
    model_id: str
    input_output: list[InputOutput]
    ignore_missing: bool = False
    on_failure: list[dict[str, Any]] = []


@pytest.fixture
def keyed() -> SidecarTarget:
    return SidecarTarget("http://sidecar:8080", "all-minilm-l6-v2", "the-key")


def test_the_embedding_endpoint_is_as_documented(keyed: SidecarTarget, meta: IndexMeta) -> None:
    endpoint = Endpoint.model_validate(bodies.embed_endpoint(keyed, meta, OPTIONS))
    settings = endpoint.service_settings
    assert set(VARIABLE.findall(settings.request)) == {"input", "input_type"}
    assert isinstance(settings.response.json_parser, EmbeddingsParser)
    assert PATH.match(settings.response.json_parser.text_embeddings)
    assert settings.input_type == InputType(
        translation={"ingest": "document", "search": "query"}, default="document"
    )


def test_the_rerank_endpoint_is_as_documented(keyed: SidecarTarget) -> None:
    settings = Endpoint.model_validate(bodies.rerank_endpoint(keyed)).service_settings
    assert set(VARIABLE.findall(settings.request)) == {"input", "query"}
    assert isinstance(settings.response.json_parser, RerankParser)


def test_every_variable_of_a_header_is_a_secret_parameter(
    keyed: SidecarTarget, meta: IndexMeta
) -> None:
    for made in (bodies.embed_endpoint(keyed, meta, OPTIONS), bodies.rerank_endpoint(keyed)):
        settings = Endpoint.model_validate(made).service_settings
        used = set(VARIABLE.findall(json.dumps(settings.headers)))
        assert used == set(settings.secret_parameters)


def test_variables_stand_outside_quotes_as_the_page_demands(
    keyed: SidecarTarget, meta: IndexMeta
) -> None:
    for made in (bodies.embed_endpoint(keyed, meta, OPTIONS), bodies.rerank_endpoint(keyed)):
        assert '"${' not in made["service_settings"]["request"]


def test_the_processor_is_as_documented(meta: IndexMeta) -> None:
    pipeline = bodies.elasticsearch_ingest(meta, "rankside-embed", OPTIONS)
    script, inference, remove = pipeline["processors"]
    processor = InferenceProcessor.model_validate(inference["inference"])
    # Results are appended to a field that is there, so the script before takes it away.
    assert "ctx.remove(params.vector_field)" in script["script"]["source"]
    (mapped,) = processor.input_output
    assert mapped.output_field == script["script"]["params"]["vector_field"]
    assert mapped.input_field == remove["remove"]["field"]
    assert processor.ignore_missing, "a document without text has nothing to embed"
    assert pipeline["_meta"] == {"managed_by": "rankside"}


@contextmanager
def recorded() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """A server that takes everything and tells what it got."""
    app, calls = FastAPI(), []

    @app.api_route("/{path:path}", methods=["PUT"])
    async def take(path: str, request: Request) -> JSONResponse:
        calls.append((request.method, path, await request.json()))
        return JSONResponse({}, headers={"X-Elastic-Product": "Elasticsearch"})

    with serving(app) as url:
        yield url, calls


def test_the_engines_own_client_sends_the_bodies_unchanged(
    keyed: SidecarTarget, meta: IndexMeta
) -> None:
    embed = bodies.embed_endpoint(keyed, meta, OPTIONS)
    pipeline = bodies.elasticsearch_ingest(meta, "rankside-embed", OPTIONS)
    with recorded() as (url, calls), Elasticsearch(url) as client:
        client.inference.put_custom(
            task_type="text_embedding", custom_inference_id="rankside-embed", **embed
        )
        client.ingest.put_pipeline(
            id="rankside-embed", processors=pipeline["processors"], meta=pipeline["_meta"]
        )
    assert calls[0] == ("PUT", "_inference/text_embedding/rankside-embed", embed)
    del pipeline["description"]
    assert calls[1] == ("PUT", "_ingest/pipeline/rankside-embed", pipeline)
