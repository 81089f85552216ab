"""How fast an engine compares vectors in a rescore: by script, by exact k-NN, by our own query."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.engine import Engine
from connectors.index import catalogue_of
from connectors.meta import HASH_FIELD, TEXT_FIELDS, VECTOR_FIELD
from connectors.query_text import text_query
from connectors.rescore import Place, VectorClause, Weights, by_knn, by_script, vector_rescorer
from evaluation.large_index import MadeVectors, queries_with
from evaluation.timing import Budget, Call, Sample, interleaved
from plugin.ranking.errors import ModelOutputError

PAGE = 10
_WEIGHTS = Weights(2.0**-40, 1.0)
_ALIKE = 1e-4
_NOTHING = VectorClause({"match_none": {}}, 1.0)


@dataclass(frozen=True, slots=True)
class Question:
    """A search of ours: its query, the ids of its window, and the vector to compare with."""

    query: Mapping[str, Any]
    places: Sequence[Place]
    vector: npt.NDArray[np.float32]


async def bench_rescore(
    engine: Engine, index: str, vectors: MadeVectors, *, window: int, calls: int, warm: int
) -> dict[str, Sample]:
    """Time the same search of ten hits with nothing, and with each way to rescore ``window`` hits.

    "the window alone" collects as many hits and compares none: what is above it is the comparing.
    Requests are written before they are timed, vectors as JSON numbers in all of them.

    Raises:
        EngineError: the engine failed.
        ModelOutputError: two of the ways did not give the same scores.
    """
    unit = await catalogue_of(engine).script_unit(engine, index, VECTOR_FIELD, vectors.dimensions)
    bodies: dict[str, list[str]] = {}
    for text in await queries_with(engine, index, window, calls + warm):
        question = await _question(engine, index, vectors, window, text)
        clauses = _clauses(engine, question, vectors, unit)
        found = {name: _body(question, clause, window) for name, clause in clauses.items()}
        for name, body in {"no rescore": _body(question, None, window), **found}.items():
            bodies.setdefault(name, []).append(json.dumps(body))
    await _check(engine, index, {name: texts[0] for name, texts in bodies.items()})

    def call(texts: Sequence[str]) -> Call:
        async def search(number: int) -> None:
            await _send(engine, index, texts[number])

        return search

    searches = {name: call(texts) for name, texts in bodies.items()}
    return await interleaved(searches, Budget(calls, seconds=600), warm=warm)


async def _question(
    engine: Engine, index: str, vectors: MadeVectors, window: int, text: str
) -> Question:
    query = text_query(text, TEXT_FIELDS)
    body = {"query": query, "size": window, "_source": False}
    hits = (await engine.search(index, body))["hits"]["hits"]
    places = [Place(hit["_index"], hit["_id"]) for hit in hits]
    return Question(query, places, (await vectors.embed([text]))[0])


def _clauses(
    engine: Engine, question: Question, vectors: MadeVectors, unit: float | None
) -> dict[str, VectorClause]:
    own = {
        "field": VECTOR_FIELD,
        "vector": question.vector.tolist(),
        "hash_field": HASH_FIELD,
        "fingerprint": vectors.fingerprint,
    }
    clauses = {
        "the window alone": _NOTHING,
        # Whatever the field's graph holds, the vectors as they were given are compared.
        "exact k-NN": by_knn(
            engine.kind, VECTOR_FIELD, question.vector, question.places, quantized=True
        ),
        "own query": VectorClause({"rankside_vector": own}, 1.0),
    }
    if unit is not None:
        clauses["script"] = by_script(engine.kind, VECTOR_FIELD, question.vector, unit)
    return clauses


def _body(question: Question, clause: VectorClause | None, window: int) -> dict[str, Any]:
    body = {"query": question.query, "size": PAGE, "_source": False}
    if clause is None:
        return body
    return {**body, "rescore": [vector_rescorer(clause, _WEIGHTS, window)]}


async def _check(engine: Engine, index: str, bodies: Mapping[str, str]) -> None:
    """A way that compared nothing would be the fastest."""
    scores = {}
    for name in ("exact k-NN", "own query", "script"):
        if name in bodies:
            hits = (await _send(engine, index, bodies[name]))["hits"]["hits"]
            scores[name] = [hit["_score"] for hit in hits]
    first = scores["own query"]
    for name, others in scores.items():
        if not np.allclose(first, others, atol=_ALIKE):
            raise ModelOutputError(
                f"own query and {name} score differently ({first} and {others}); find out why first"
            )


async def _send(engine: Engine, index: str, body: str) -> dict[str, Any]:
    answer: dict[str, Any] = await engine.request("POST", f"/{index}/_search", body=body)
    return answer
