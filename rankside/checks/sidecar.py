"""Checks of the sidecar, from here and from the engine's side."""

from __future__ import annotations

import time
from typing import Any

from connectors.engine import Engine, EngineKind
from pipelines.catalogue import ingest_name
from pipelines.mlcommons import ML, RemoteModel
from pipelines.options import Part
from pipelines.resources import InferenceEndpoint, IngestPipeline
from plugin.ranking.errors import EngineRejected, SidecarRejected
from plugin.ranking.hits import Status
from plugin.ranking.wire import ListwiseCall, WireHit
from rankside.checks.finding import Case, Finding, Level, Side, known

_SEVERAL = (
    WireHit(id="1", score=2.0, text="Windows let light into a house."),
    WireHit(id="2", score=1.0, text="A house is lit by its windows and lamps."),
)
_PROBE = "a document to embed"
_WAIT = "wait for its model to load; its log says what it does"


async def ready(case: Case) -> Finding:
    """The sidecar answers, and its model is warm."""
    try:
        await case.sidecar.model()
    except SidecarRejected as error:
        remedy = _WAIT if error.status not in {401, 403} else "set RANKSIDE_CLIENT__API_KEY"
        return _problem("sidecar", str(error), remedy)
    if await case.sidecar.ready():
        return _good("sidecar", f"ready at {case.sidecar.url}")
    return _problem("sidecar", f"{case.sidecar.url} is there and not ready", _WAIT)


async def model(case: Case) -> Finding:
    """What it serves."""
    case.card = card = await case.sidecar.model()
    return _good("model", f"{card.id}, {card.dimensions} dimensions, {card.fingerprint}")


async def agreed(case: Case) -> Finding:
    """The index's vectors and the sidecar's are of one model."""
    meta, card = known(case.meta), known(case.card)
    if not meta.fingerprint:
        return _not_run("fingerprint", "the index has none while it is embedded again")
    if meta.fingerprint == card.fingerprint:
        return _good("fingerprint", "index and sidecar have the same")
    return _problem(
        "fingerprint",
        f"the index has {meta.fingerprint} ({meta.model}), the sidecar {card.fingerprint} "
        f"({card.id}): searches keep their first-stage order",
        f"serve {meta.model}, or embed again with `rankside backfill --index {case.index}`",
    )


async def round_trip(case: Case) -> Finding:
    """A tiny listwise call comes back reranked."""
    started = time.perf_counter()
    answer = await case.sidecar.listwise(
        ListwiseCall(query="what lights a house", hits=[*_SEVERAL])
    )
    took = f"{1000 * (time.perf_counter() - started):.0f} ms"
    if answer.status is Status.PASSED_THROUGH:
        return _problem(
            "listwise call",
            f"passed through after {took}: {answer.reason}",
            "the sidecar's log and /metrics say more",
        )
    return _good(
        "listwise call", f"answered in {took}, {answer.timings_ms.total:.0f} ms of it inside"
    )


async def seen_by_engine(case: Case) -> Finding:
    """The engine reaches the sidecar through what `apply --with-ml` made."""
    engine, card = known(case.engine), case.card
    name = ingest_name(case.settings.pipelines)
    embed = {EngineKind.OPENSEARCH: _by_model, EngineKind.ELASTICSEARCH: _by_endpoint}
    started = time.perf_counter()
    try:
        vector = await embed[engine.kind](engine, name)
    except EngineRejected as error:
        return Finding(
            "engine to sidecar",
            Level.PROBLEM,
            f"through {name}: {error}",
            "give an address that the engine's nodes reach with "
            "`rankside apply --with-ml --engine-sidecar URL`",
        )
    took = f"{1000 * (time.perf_counter() - started):.0f} ms"
    if vector is None:
        return _not_run("engine to sidecar", f"the engine has no {name} to call it by")
    if card is not None and len(vector) != card.dimensions:
        sentence = f"{name} gives {len(vector)} dimensions, the sidecar {card.dimensions}"
        return Finding("engine to sidecar", Level.PROBLEM, sentence, "`rankside apply --with-ml`")
    return Finding("engine to sidecar", Level.GOOD, f"{name} embedded a text in {took}")


async def pipeline_agreed(case: Case) -> Finding:
    """The ingest pipeline marks its vectors as the sidecar's model makes them."""
    engine, card = known(case.engine), known(case.card)
    name = ingest_name(case.settings.pipelines)
    pipeline = IngestPipeline(name, Part.INGEST, {})
    found = await pipeline.find(engine)
    if found is None:
        return _not_run("ingest pipeline", f"the engine has no {name}")
    scripts = [step["script"] for step in found.body["processors"] if "script" in step]
    marks = {script.get("params", {}).get("fingerprint") for script in scripts}
    if marks == {card.fingerprint}:
        return Finding("ingest pipeline", Level.GOOD, f"{name} marks the sidecar's vectors")
    return Finding(
        "ingest pipeline",
        Level.PROBLEM,
        f"{name} marks vectors as of another model than the sidecar's",
        "`rankside apply --with-ml`, then `rankside backfill`",
    )


async def _by_model(engine: Engine, name: str) -> list[float] | None:
    found = await RemoteModel(name, Part.INGEST, {}).find(engine)
    if found is None:
        return None
    body = {"text_docs": [_PROBE], "return_number": True, "target_response": ["sentence_embedding"]}
    answer = await engine.request("POST", f"{ML}/_predict/text_embedding/{found.id}", body=body)
    vector: list[float] = answer["inference_results"][0]["output"][0]["data"]
    return vector


async def _by_endpoint(engine: Engine, name: str) -> list[float] | None:
    endpoint = InferenceEndpoint(name, Part.INGEST, {"service_settings": {}}, task="text_embedding")
    try:
        found = await endpoint.find(engine)
    except EngineRejected as error:
        if "no handler found" in str(error):
            return None
        raise
    if found is None:
        return None
    answer: Any = await engine.request(
        "POST", f"/_inference/text_embedding/{name}", body={"input": [_PROBE]}
    )
    vector: list[float] = answer["text_embedding"][0]["embedding"]
    return vector


def _good(name: str, sentence: str) -> Finding:
    return Finding(name, Level.GOOD, sentence, side=Side.SIDECAR)


def _problem(name: str, sentence: str, remedy: str) -> Finding:
    return Finding(name, Level.PROBLEM, sentence, remedy, Side.SIDECAR)


def _not_run(name: str, sentence: str) -> Finding:
    return Finding(name, Level.NOT_RUN, sentence, side=Side.SIDECAR)
