"""The JSON bodies that let an engine call the sidecar: by its own model features, or by plugin.

OpenSearch: ml-commons connectors and remote models, an ingest pipeline with `text_embedding`, a
search pipeline with `rerank`, and one line each where the plugin is there; every stock body ran on
a 3.6 node. Elasticsearch: inference endpoints of the `custom` service and an ingest pipeline with
`inference`, after the pages *Create a custom inference endpoint* and *Inference processor*; the
node that tests run has neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from connectors.meta import IndexMeta
from pipelines.options import PipelineOptions

MARK = "managed_by: rankside"
MARK_HEADER = "X-Managed-By"
TO_EMBED = "rankside_text_to_embed"  # lives inside the pipeline only
# What str.strip() takes away, so that both sides hash the same text; Java's trim() takes others.
SPACES = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
QUERY_TEXT = "$.ext.ml_inference.query_text"
RESCORE_VECTOR = "$.rescore[0].query.rescore_query.script_score.script.params.vector"
NO_KEY = "none"  # ml-commons refuses a connector without a credential
# The custom service's own limit is 10,000, one for each document that the ingest pipeline embeds;
# what is too much the sidecar says itself (429).
REQUESTS_PER_MINUTE = 1_000_000


@dataclass(frozen=True, slots=True)
class SidecarTarget:
    """The sidecar as the engine's nodes call it; ``api_key`` is None where none is needed."""

    url: str
    model: str
    api_key: str | None = None

    def at(self, path: str) -> str:
        """The address of one of its calls."""
        return self.url.rstrip("/") + path


def embed_connector(
    name: str, target: SidecarTarget, meta: IndexMeta, options: PipelineOptions
) -> dict[str, Any]:
    """An ml-commons connector to `/v1/embeddings`, for documents."""
    request = {
        "input": Raw("${parameters.input}"),
        "model": "${parameters.model}",
        "input_type": "document",
        "dimensions": meta.dimensions,
        "encoding_format": "float",
        "vector_fingerprint": meta.fingerprint,
    }
    action = _predict(target.at("/v1/embeddings"), request, "openai.embedding", target)
    what = "Document vectors for the ingest pipeline"
    return _connector(name, what, action, target, timeout=options.ingest_timeout, retries=1)


def rerank_connector(name: str, target: SidecarTarget, options: PipelineOptions) -> dict[str, Any]:
    """An ml-commons connector to `/v1/rerank` (Cohere's dialect)."""
    request = {
        "documents": Raw("${parameters.documents}"),
        "query": "${parameters.query}",
        "model": "${parameters.model}",
        "top_n": Raw("${parameters.top_n}"),
    }
    action = _predict(target.at("/v1/rerank"), request, "cohere.rerank", target)
    what = "Scores for the search pipeline"
    return _connector(name, what, action, target, timeout=options.search_timeout, retries=0)


def query_connector(
    name: str, target: SidecarTarget, meta: IndexMeta, options: PipelineOptions
) -> dict[str, Any]:
    """An ml-commons connector to `/v1/embeddings`, for the query of one search."""
    request = {
        "input": "${parameters.query_text}",
        "model": "${parameters.model}",
        "input_type": "query",
        "dimensions": meta.dimensions,
        "encoding_format": "float",
        "vector_fingerprint": meta.fingerprint,
    }
    action = _predict(target.at("/v1/embeddings"), request, "openai.embedding", target)
    del action["pre_process_function"]  # it makes a list, also of one text
    what = "A query's vector for the search pipeline"
    return _connector(name, what, action, target, timeout=options.search_timeout, retries=0)


def remote_model(name: str, connector_id: str) -> dict[str, Any]:
    """The body that registers a remote model behind a connector."""
    return {
        "name": name,
        "function_name": "remote",
        "description": f"Rankside's sidecar ({MARK})",
        "connector_id": connector_id,
    }


def opensearch_ingest(meta: IndexMeta, model_id: str, options: PipelineOptions) -> dict[str, Any]:
    """An ingest pipeline that embeds the text fields as Rankside does, and writes the hash field.

    A document that already holds the vector of its text is left alone.
    """
    embed: dict[str, Any] = {
        "model_id": model_id,
        "field_map": {TO_EMBED: meta.vector_field},
        "batch_size": options.batch_size,
    }
    return {
        "description": f"Document vectors by Rankside's sidecar ({MARK})",
        "processors": _around({"text_embedding": embed}, meta, options),
    }


def elasticsearch_ingest(
    meta: IndexMeta, endpoint: str, options: PipelineOptions
) -> dict[str, Any]:
    """The same for Elasticsearch, through an inference endpoint."""
    embed: dict[str, Any] = {
        "model_id": endpoint,
        "input_output": [{"input_field": TO_EMBED, "output_field": meta.vector_field}],
        "ignore_missing": True,
    }
    return {
        "description": "Document vectors by Rankside's sidecar",
        "_meta": {"managed_by": "rankside"},
        "processors": _around({"inference": embed}, meta, options),
    }


def opensearch_search(model_id: str, text_fields: Sequence[str]) -> dict[str, Any]:
    """A search pipeline that reranks the hits of a page by the sidecar's scores.

    The processor joins the fields of a document without a space, sees only the `size` hits, and
    needs `ext.rerank.query_context` in each search.
    """
    rerank = {
        "ml_opensearch": {"model_id": model_id},
        "context": {"document_fields": list(text_fields)},
        "ignore_failure": True,
    }
    return {
        "description": f"Rerank by Rankside's sidecar ({MARK})",
        "response_processors": [{"rerank": rerank}],
    }


def opensearch_query(model_id: str) -> dict[str, Any]:
    """A search pipeline that puts the query's vector into the request's own rescore clause.

    The request's `ext.ml_inference.query_text` is embedded, and `params.vector` of its first
    rescore's script becomes the vector. A request without these stays as it is, and so does one
    whose query could not be embedded.
    """
    infer = {
        "model_id": model_id,
        "function_name": "remote",
        "full_response_path": True,
        "input_map": [{"query_text": QUERY_TEXT}],
        "output_map": [{RESCORE_VECTOR: "$.inference_results[0].output[0].data"}],
        "ignore_failure": True,
    }
    return {
        "description": f"The query's vector by Rankside's sidecar ({MARK})",
        "request_processors": [{"ml_inference": infer}],
    }


def plugin_ingest(target: SidecarTarget, options: PipelineOptions) -> dict[str, Any]:
    """An ingest pipeline of the OpenSearch plugin: fields and model are those of the index."""
    return {
        "description": f"Document vectors by Rankside's plugin ({MARK})",
        "processors": [{"rankside_embedding": _sidecar(target, options)}],
    }


def elasticsearch_plugin_ingest() -> dict[str, Any]:
    """The same of the Elasticsearch plugin, whose nodes know the sidecar themselves."""
    return {
        "description": "Document vectors by Rankside's plugin",
        "_meta": {"managed_by": "rankside"},
        "processors": [{"rankside_embedding": {}}],
    }


def plugin_search(target: SidecarTarget, options: PipelineOptions) -> dict[str, Any]:
    """A search pipeline of the OpenSearch plugin: searches through it come back reranked."""
    window = {} if options.window is None else {"window": options.window}
    return {
        "description": f"Rerank by Rankside's plugin ({MARK})",
        "request_processors": [{"rankside": {**_sidecar(target, options), **window}}],
    }


def embed_endpoint(
    target: SidecarTarget, meta: IndexMeta, options: PipelineOptions
) -> dict[str, Any]:
    """An Elasticsearch inference endpoint (`text_embedding`) for `/v1/embeddings`."""
    request = {
        "input": Raw("${input}"),
        "model": target.model,
        "input_type": Raw("${input_type}"),
        "dimensions": meta.dimensions,
        "encoding_format": "float",
        "vector_fingerprint": meta.fingerprint,
    }
    settings = _custom(target, "/v1/embeddings", request)
    settings |= {
        "response": {"json_parser": {"text_embeddings": "$.data[*].embedding[*]"}},
        "input_type": {
            "translation": {"ingest": "document", "search": "query"},
            "default": "document",
        },
        "similarity": "cosine",
        "dimensions": meta.dimensions,
        "batch_size": options.batch_size,
    }
    return {"service": "custom", "service_settings": settings}


def rerank_endpoint(target: SidecarTarget) -> dict[str, Any]:
    """An Elasticsearch inference endpoint (`rerank`) for `text_similarity_reranker`."""
    request = {"documents": Raw("${input}"), "query": Raw("${query}"), "model": target.model}
    settings = _custom(target, "/v1/rerank", request)
    settings["response"] = {
        "json_parser": {
            "reranked_index": "$.results[*].index",
            "relevance_score": "$.results[*].relevance_score",
        }
    }
    return {"service": "custom", "service_settings": settings}


class Raw(str):
    """A place in a request that the engine fills with JSON, hence outside quotes."""

    __slots__ = ()


def request_template(fields: Mapping[str, Any]) -> str:
    """A request body in which `Raw` values stand unquoted."""
    parts = (f"{json.dumps(key)}: {_value(value)}" for key, value in fields.items())
    return "{ " + ", ".join(parts) + " }"


def _value(value: object) -> str:
    return str(value) if isinstance(value, Raw) else json.dumps(value)


def _connector(
    name: str,
    what: str,
    action: dict[str, Any],
    target: SidecarTarget,
    *,
    timeout: int,
    retries: int,
) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"{what}, by Rankside's sidecar ({MARK})",
        "version": "1",
        "protocol": "http",
        "parameters": {"model": target.model},
        "credential": {"key": target.api_key or NO_KEY},
        "actions": [action],
        "client_config": {
            "connection_timeout": min(timeout, 5),
            "read_timeout": timeout,
            "max_retry_times": retries,
        },
    }


def _predict(
    url: str, request: Mapping[str, Any], dialect: str, target: SidecarTarget
) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if target.api_key:
        headers["Authorization"] = "Bearer ${credential.key}"
    return {
        "action_type": "PREDICT",
        "method": "POST",
        "url": url,
        "headers": headers,
        "request_body": request_template(request),
        "pre_process_function": f"connector.pre_process.{dialect}",
        "post_process_function": f"connector.post_process.{dialect}",
    }


def _sidecar(target: SidecarTarget, options: PipelineOptions) -> dict[str, Any]:
    """The plugin's way to the sidecar; its key stays in the nodes' keystores, under a name."""
    named = {} if options.auth is None else {"auth": options.auth}
    return {"url": [target.url.rstrip("/")], **named}


def _custom(target: SidecarTarget, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", MARK_HEADER: "rankside"}
    if target.api_key:
        headers["Authorization"] = "Bearer ${api_key}"
    return {
        "secret_parameters": {"api_key": target.api_key or NO_KEY},
        "url": target.at(path),
        "headers": headers,
        "request": request_template(request),
        "rate_limit": {"requests_per_minute": REQUESTS_PER_MINUTE},
    }


def _around(
    embed: dict[str, Any], meta: IndexMeta, options: PipelineOptions
) -> list[dict[str, Any]]:
    """The processors before and after the one that embeds."""
    if options.on_embed_failure == "index":
        written = [meta.vector_field, meta.hash_field]
        (processor,) = embed.values()
        processor["on_failure"] = [{"remove": {"field": written, "ignore_missing": True}}]
    return [
        {"script": _document_text(meta)},
        embed,
        {"remove": {"field": TO_EMBED, "ignore_missing": True}},
    ]


def _document_text(meta: IndexMeta) -> dict[str, Any]:
    """`connectors.meta.document_text` and `vector_hash`, in Painless."""
    source = (resources.files("pipelines") / "document_text.painless").read_text("utf-8")
    params = {
        "text_fields": list(meta.text_fields),
        "separator": "\n",  # Painless has no escape for it
        "spaces": SPACES,
        "fingerprint": meta.fingerprint,
        "hash_field": meta.hash_field,
        "vector_field": meta.vector_field,
        "to_embed": TO_EMBED,
    }
    return {"lang": "painless", "source": source, "params": params}
