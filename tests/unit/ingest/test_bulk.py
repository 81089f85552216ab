from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from connectors.engine import BulkItem, BulkOutcome, Engine
from ingest.bulk import BulkOptions, BulkWriter, Chunks, Write, components_of, write
from plugin.ranking.errors import EngineRejected, EngineUnavailable

VECTORS = hnp.arrays(
    np.float32,
    st.integers(1, 8),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
DOCUMENTS = st.dictionaries(st.text(max_size=6), st.text(max_size=30) | st.integers(), max_size=4)


class ScriptedEngine:
    """Judges each operation by ``statuses[id]``, one status a request, then takes it.

    A request that holds one of ``poison`` is refused whole; ``away`` requests fail first.
    """

    def __init__(self, statuses: Mapping[str, list[int]] | None = None) -> None:
        self.statuses = {id_: list(some) for id_, some in (statuses or {}).items()}
        self.poison: set[str] = set()
        self.away = 0
        self.requests: list[list[str]] = []

    async def bulk(self, _index: str, operations: Sequence[Mapping[str, Any]]) -> BulkOutcome:
        ids = [one["index"]["_id"] for one in operations[::2]]
        self.requests.append(ids)
        if self.away:
            self.away -= 1
            raise EngineUnavailable("away")
        if self.poison & set(ids):
            raise EngineRejected("too large", status=413)
        return BulkOutcome(tuple(self._judge(id_) for id_ in ids), took_ms=1)

    def _judge(self, id_: str) -> BulkItem:
        status = self.statuses[id_].pop(0) if self.statuses.get(id_) else 201
        return BulkItem("index", id_, status, None if status < 300 else f"refused: {status}")


def writes(*ids: str) -> list[Write]:
    return [write({"index": {"_id": id_}}, {"id": id_}, owner=id_) for id_ in ids]


def writer(engine: ScriptedEngine, retried: list[int], patience: float = 60) -> BulkWriter:
    fake: Engine = engine  # type: ignore[assignment]
    return BulkWriter(fake, "books", BulkOptions(patience=patience), retried.append)


@given(DOCUMENTS, VECTORS)
def test_a_write_is_never_larger_than_it_says(
    document: dict[str, Any], vector: npt.NDArray[np.float32]
) -> None:
    one = write({"index": {"_id": "é"}}, document, vector=("v", vector))

    lines = [json.dumps(line, separators=(",", ":")) for line in (one.action, one.document)]
    assert len("\n".join([*lines, ""]).encode()) <= one.size


@given(VECTORS)
def test_a_vector_survives_json_bit_for_bit(vector: npt.NDArray[np.float32]) -> None:
    back = np.array(json.loads(json.dumps(components_of(vector))), dtype=np.float32)

    assert np.array_equal(back, vector)


@given(
    st.lists(st.integers(1, 50), max_size=40),
    st.integers(1, 7),
    st.integers(1, 120),
    st.integers(1, 5),
)
def test_chunks_keep_order_and_both_limits(
    sizes: list[int], docs: int, most: int, at_once: int
) -> None:
    chunks = Chunks(BulkOptions(docs=docs, bytes=most))
    given_ = [Write({}, {}, size, number) for number, size in enumerate(sizes)]

    requests = [
        request
        for start in range(0, len(given_), at_once)
        for request in chunks.add(given_[start : start + at_once])
    ]
    rest = chunks.rest()
    requests += [rest] if rest else []

    assert [one.owner for request in requests for one in request] == list(range(len(sizes)))
    for request in requests:
        assert len(request) <= docs
        assert sum(one.size for one in request) <= most or len(request) == 1
    assert chunks.rest() == []


async def test_only_items_that_may_pass_are_sent_again() -> None:
    engine = ScriptedEngine({"b": [429, 429], "c": [400], "d": [503]})
    retried: list[int] = []

    judged = await writer(engine, retried).send(writes("a", "b", "c", "d"))

    assert engine.requests == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert {one.owner: item.status for one, item in judged} == {
        "a": 201,
        "b": 201,
        "c": 400,
        "d": 201,
    }
    assert retried == [2, 1]


async def test_a_request_is_sent_again_while_the_engine_is_away() -> None:
    engine, retried = ScriptedEngine(), []
    engine.away = 2

    judged = await writer(engine, retried).send(writes("a", "b"))

    assert [item.error for _, item in judged] == [None, None]
    assert retried == [2, 2]


async def test_a_request_that_is_refused_whole_is_halved_to_the_culprit() -> None:
    engine = ScriptedEngine()
    engine.poison = {"c"}

    judged = await writer(engine, []).send(writes(*"abcdefgh"))

    assert {one.owner for one, item in judged if item.error is None} == set("abdefgh")
    assert [item.status for one, item in judged if one.owner == "c"] == [413]


@pytest.mark.parametrize("status", [401, 403])
async def test_an_engine_that_takes_nothing_from_us_ends_the_writing(status: int) -> None:
    engine = ScriptedEngine({"a": [status]})

    with pytest.raises(EngineRejected, match="refuses writes") as caught:
        await writer(engine, []).send(writes("a", "b"))
    assert caught.value.status == status


async def test_items_refused_for_longer_than_patience_end_the_writing() -> None:
    engine = ScriptedEngine({"a": [429] * 50})

    with pytest.raises(EngineRejected, match="refused: 429") as caught:
        await writer(engine, [], patience=0.2).send(writes("a", "b"))
    assert caught.value.status == 429
    assert engine.requests[1] == ["a"]
