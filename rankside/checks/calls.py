"""Checks of the sidecar as the engine's nodes see it, through what `apply --path stock` made."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from connectors.engine import Engine, EngineKind
from pipelines.catalogue import ingest_name, query_name, search_name
from pipelines.mlcommons import ML, RemoteModel
from pipelines.options import EnginePath, Part
from pipelines.resources import InferenceEndpoint, IngestPipeline
from plugin.ranking.errors import EngineRejected
from rankside.checks.finding import Case, Finding, Level, Side, known

# Numbers from an engine's call of the sidecar; None where it has nothing to call it by.
Call = Callable[[Engine, str], Awaitable[list[float] | None]]

_TEXTS = ("Windows let light into a house.", "A house is lit by its windows and lamps.")
_APPLY = "`rankside apply --path stock"
# By what the engine's answer says, in the order of asking.
_REMEDIES = (
    ("private ip", f"{_APPLY} --only cluster` allows it; where it is allowed, undeploy the model"),
    ("unauthorized", f"{_APPLY} --refresh-secrets` gives the engine the sidecar's key again"),
    ("non-compliant", "inference endpoints need an Enterprise licence or a trial of one"),
    ("model_mismatch", f"{_APPLY}` for the sidecar's model, then `rankside backfill`"),
)
_ADDRESS = f"give an address that the engine's nodes reach: {_APPLY} --engine-sidecar URL`"


async def embeds(case: Case) -> Finding:
    """The engine has the sidecar embed a text, as its ingest pipeline would."""
    name = ingest_name(case.settings.pipelines)
    return _of_length(case, name, *await _called(case, "engine embeds", name, _EMBED))


async def embeds_queries(case: Case) -> Finding:
    """The engine has the sidecar embed a query, as the pipeline of a rescore would."""
    check = "engine queries"
    if known(case.engine).kind is EngineKind.ELASTICSEARCH:
        return _not_run(check, "Elasticsearch has no stock processor for it")
    name = query_name(case.settings.pipelines)
    call = {EngineKind.OPENSEARCH: _embed_query_by_model}
    return _of_length(case, name, *await _called(case, check, name, call))


async def reranks(case: Case) -> Finding:
    """The engine has the sidecar score two texts, as its search pipeline would."""
    name = search_name(case.settings.pipelines)
    scores, finding = await _called(case, "engine reranks", name, _RERANK)
    if scores is None or (len(scores) == len(_TEXTS) and all(map(math.isfinite, scores))):
        return finding
    sentence = f"{name} gives {len(scores)} scores for {len(_TEXTS)} texts: {scores}"
    return Finding(finding.name, Level.PROBLEM, sentence, f"{_APPLY}`")


async def pipeline_agreed(case: Case) -> Finding:
    """The ingest pipeline marks its vectors as the sidecar's model makes them."""
    engine, card = known(case.engine), known(case.card)
    name = ingest_name(case.settings.pipelines)
    found = await IngestPipeline(name, Part.INGEST, {}).find(engine)
    if found is None:
        return _not_run("ingest pipeline", f"the engine has no {name}")
    steps = found.body["processors"]
    if any("rankside_embedding" in step for step in steps):
        sentence = f"{name} marks vectors as each index's _meta.rankside says"
        return Finding("ingest pipeline", Level.GOOD, sentence)
    scripts = [step["script"] for step in steps if "script" in step]
    marks = {script.get("params", {}).get("fingerprint") for script in scripts}
    if marks == {card.fingerprint}:
        return Finding("ingest pipeline", Level.GOOD, f"{name} marks the sidecar's vectors")
    return Finding(
        "ingest pipeline",
        Level.PROBLEM,
        f"{name} marks vectors as of another model than the sidecar's",
        f"{_APPLY}`, then `rankside backfill`",
    )


def _of_length(case: Case, name: str, vector: list[float] | None, finding: Finding) -> Finding:
    """``finding``, unless the vector is not as long as the sidecar's."""
    if vector is None or case.card is None or len(vector) == case.card.dimensions:
        return finding
    sentence = f"{name} gives {len(vector)} dimensions, the sidecar {case.card.dimensions}"
    return Finding(finding.name, Level.PROBLEM, sentence, f"{_APPLY}`")


async def _called(
    case: Case, check: str, name: str, calls: Mapping[EngineKind, Call]
) -> tuple[list[float] | None, Finding]:
    """The numbers that came back, and what to say of it if they are right."""
    engine = known(case.engine)
    started = time.perf_counter()
    try:
        numbers = await calls[engine.kind](engine, name)
    except EngineRejected as error:
        sentence, remedy = f"through {name}: {error}", _remedy(str(error))
        return None, Finding(check, Level.PROBLEM, sentence, remedy)
    took = f"{1000 * (time.perf_counter() - started):.0f} ms"
    if numbers is None:
        sentence = f"the engine has no {name} to call the sidecar by"
        if case.settings.pipelines.path is EnginePath.STOCK:
            return None, Finding(check, Level.PROBLEM, sentence, f"{_APPLY}`")
        return None, _not_run(check, sentence)
    return numbers, Finding(check, Level.GOOD, f"{name} answered in {took}")


def _remedy(said: str) -> str:
    found = (remedy for words, remedy in _REMEDIES if words in said.lower())
    return next(found, _ADDRESS)


def _not_run(name: str, sentence: str) -> Finding:
    return Finding(name, Level.NOT_RUN, sentence, side=Side.SIDECAR)


async def _embed_by_model(engine: Engine, name: str) -> list[float] | None:
    body = {"return_number": True, "target_response": ["sentence_embedding"]}
    output = await _predicted(engine, name, "text_embedding", {"text_docs": _TEXTS[:1], **body})
    return None if output is None else [float(number) for number in output[0]["data"]]


async def _embed_query_by_model(engine: Engine, name: str) -> list[float] | None:
    body = {"parameters": {"query_text": "what lights a house"}}
    output = await _predicted(engine, name, "remote", body)
    return None if output is None else [float(number) for number in output[0]["data"]]


async def _rerank_by_model(engine: Engine, name: str) -> list[float] | None:
    body = {"query_text": "what lights a house", "text_docs": _TEXTS}
    output = await _predicted(engine, name, "text_similarity", body)
    return None if output is None else [float(tensor["data"][0]) for tensor in output]


async def _predicted(
    engine: Engine, name: str, task: str, body: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]] | None:
    """The tensors of a predict call; None where there is no model of this name."""
    found = await RemoteModel(name, Part.INGEST, {}).find(engine)
    if found is None:
        return None
    answer = await engine.request("POST", f"{ML}/_predict/{task}/{found.id}", body=dict(body))
    output: Sequence[Mapping[str, Any]] = answer["inference_results"][0]["output"]
    return output


async def _embed_by_endpoint(engine: Engine, name: str) -> list[float] | None:
    answer = await _inferred(engine, name, "text_embedding", {"input": _TEXTS[:1]})
    return None if answer is None else list(answer["text_embedding"][0]["embedding"])


async def _rerank_by_endpoint(engine: Engine, name: str) -> list[float] | None:
    body = {"query": "what lights a house", "input": _TEXTS}
    answer = await _inferred(engine, name, "rerank", body)
    return None if answer is None else [one["relevance_score"] for one in answer["rerank"]]


async def _inferred(engine: Engine, name: str, task: str, body: Mapping[str, Any]) -> Any:
    """The answer of an inference endpoint; None where there is none of this name."""
    endpoint = InferenceEndpoint(name, Part.INGEST, {"service_settings": {}}, task=task)
    try:
        found = await endpoint.find(engine)
    except EngineRejected as error:
        if "no handler found" in str(error):
            return None
        raise
    if found is None:
        return None
    return await engine.request("POST", f"/_inference/{task}/{name}", body=dict(body))


_EMBED: Mapping[EngineKind, Call] = {
    EngineKind.OPENSEARCH: _embed_by_model,
    EngineKind.ELASTICSEARCH: _embed_by_endpoint,
}
_RERANK: Mapping[EngineKind, Call] = {
    EngineKind.OPENSEARCH: _rerank_by_model,
    EngineKind.ELASTICSEARCH: _rerank_by_endpoint,
}
