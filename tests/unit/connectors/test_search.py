"""What becomes of a search when the engine itself is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from connectors.options import SidecarClientOptions
from connectors.search import Method, OnFailure, Searcher, SearchOptions
from connectors.sidecar import SidecarClient
from plugin.ranking.errors import (
    DeadlineExceeded,
    EngineRejected,
    EngineUnavailable,
    ModelUnavailable,
)
from plugin.ranking.hits import FusionWeights, Status, Strategy
from tests.unit.connectors.fakes import FakeEngine

FINGERPRINT = "f" * 16
META = IndexMeta(fingerprint=FINGERPRINT, model="m", dimensions=2)
VECTOR = {"type": "knn_vector", "dimension": 2, "method": {"space_type": "cosinesimil"}}
PROPERTIES = {"text": {"type": "text"}, "rankside_vector": VECTOR}
MAPPING = {"i": {"mappings": {"_meta": META.to_mapping(), "properties": PROPERTIES}}}
CARD = {"id": "m", "fingerprint": FINGERPRINT, "dimensions": 2, "prompt_hits": 3}
LISTWISE = {
    "vector": [0.6, 0.8],
    "first_stage_weight": 0.0,
    "status": "reranked",
    "model": {"name": "m", "revision": "", "fingerprint": FINGERPRINT},
    "signals": {"listwise": 1.0},
    "timings_ms": {},
    "usage": {},
}
BODY = {"query": {"match": {"text": "cold water"}}}
HITS = [
    {"_index": "i", "_id": str(n), "_score": 9.0 - n, "_source": {"text": f"text {n}"}}
    for n in range(4)
]


def found(failed: int = 0, hits: Any = None) -> dict[str, Any]:
    return {"_shards": {"failed": failed}, "hits": {"hits": HITS if hits is None else hits}}


class Node(FakeEngine):
    """Answers mappings and searches; ``rescored`` is called for a search with our rescore."""

    def __init__(self, rescored: Any = None, kind: EngineKind = EngineKind.OPENSEARCH) -> None:
        super().__init__(self._answer, kind)
        self.rescored = rescored or found
        self.window: Any = found
        self.plain: Any = found

    def _answer(self, path: str, body: Mapping[str, Any]) -> Any:
        if path.endswith("_mapping"):
            return MAPPING
        if "terminate_after" in body:
            return found(hits=[{"_score": 1.0}])
        if "rescore" in body:
            return self.rescored()
        return self.window() if "track_total_hits" in body else self.plain()

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        return [body for path, body, _ in self.requests if path.endswith("_search")]


def sidecar_of(answer: Any = None, cards: Any = None) -> SidecarClient:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": cards or [CARD]})
        return httpx.Response(200, json=answer or LISTWISE)

    return SidecarClient(SidecarClientOptions(), transport=httpx.MockTransport(handler))


@pytest.fixture
async def sidecar() -> AsyncIterator[SidecarClient]:
    async with sidecar_of() as client:
        yield client


def refuse(status: int = 500, kind: str = "search_exception") -> Any:
    def answer() -> Any:
        raise EngineRejected("refused", status=status, kind=kind)

    return answer


def lose() -> Any:
    raise EngineUnavailable("gone")


async def test_the_users_request_with_one_more_rescore(sidecar: SidecarClient) -> None:
    node = Node()
    result = await Searcher(node, sidecar).search(
        "i", {**BODY, "size": 7}, SearchOptions(window=50)
    )
    assert (result.status, result.method) == (Status.RERANKED, Method.RESCORE)
    last = dict(node.asked[-1])
    (rescore,) = last.pop("rescore")
    assert last == {**BODY, "size": 7}
    assert rescore["window_size"] == 50
    assert rescore["query"]["query_weight"] == 2.0**-40
    assert rescore["query"]["rescore_query_weight"] == 2.0  # the script gives (1 + cos) / 2 there


async def test_a_rescore_that_is_refused_leaves_the_users_own_request(
    sidecar: SidecarClient,
) -> None:
    node = Node(refuse())
    result = await Searcher(node, sidecar).search("i", BODY)
    assert result.reason == "rescore_refused:search_exception"
    assert result.status is Status.PASSED_THROUGH
    assert node.asked[-1] == BODY
    with pytest.raises(EngineRejected):
        await Searcher(node, sidecar).search("i", BODY, SearchOptions(on_failure=OnFailure.FAIL))


async def test_an_error_of_the_users_own_request_is_not_hidden(sidecar: SidecarClient) -> None:
    node = Node(refuse(400))
    node.window = node.plain = refuse(400, "parsing_exception")
    with pytest.raises(EngineRejected) as caught:
        await Searcher(node, sidecar).search("i", BODY)
    assert caught.value.kind == "parsing_exception"


async def test_an_engine_that_is_lost_in_the_rescore_is_not_asked_again(
    sidecar: SidecarClient,
) -> None:
    node = Node(lose)
    with pytest.raises(EngineUnavailable):
        await Searcher(node, sidecar).search("i", BODY)
    assert "rescore" in node.asked[-1]


async def test_a_window_search_that_fails_is_no_failure_of_the_search(
    sidecar: SidecarClient,
) -> None:
    for failure, reason in ((refuse(), "engine_rejected"), (lose, "engine_unavailable")):
        node = Node()
        node.window = failure
        result = await Searcher(node, sidecar).search("i", BODY)
        assert (result.status, result.reason) == (Status.PASSED_THROUGH, reason)


async def test_shards_that_fail_of_themselves_are_the_users_matter(
    sidecar: SidecarClient,
) -> None:
    node = Node(lambda: found(failed=2))
    node.plain = lambda: found(failed=2)
    result = await Searcher(node, sidecar).search("i", BODY)
    assert result.method is Method.RESCORE
    node.plain = lambda: found(failed=1)
    result = await Searcher(node, sidecar).search("i", BODY)
    assert result.reason == "rescore_failed_on_shards:2"
    assert result.body["_shards"]["failed"] == 1


async def test_a_deadline_covers_what_is_before_the_users_request(
    sidecar: SidecarClient,
) -> None:
    class Slow(Node):
        async def search(
            self, index: str, body: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
        ) -> dict[str, Any]:
            if "track_total_hits" in body:
                await asyncio.sleep(5)
            return await super().search(index, body, params=params)

    options = SearchOptions(deadline=0.05)
    result = await Searcher(Slow(), sidecar).search("i", BODY, options)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "deadline")
    failing = SearchOptions(deadline=0.05, on_failure=OnFailure.FAIL)
    with pytest.raises(DeadlineExceeded):
        await Searcher(Slow(), sidecar).search("i", BODY, failing)


async def test_parameters_reach_both_searches(sidecar: SidecarClient) -> None:
    node = Node()
    params = {"routing": "r", "typed_keys": True}
    await Searcher(node, sidecar).search("i", BODY, params=params)
    sent = [params for path, body, params in node.requests if "query" in body]
    assert sent[-1] == params
    assert sent[-2] == {"routing": "r", "search_pipeline": "_none"}


async def test_signals_without_text_fetch_none(sidecar: SidecarClient) -> None:
    node = Node()
    options = SearchOptions(fusion=FusionWeights(listwise=0, query=1))
    await Searcher(node, sidecar).search("i", BODY, options)
    window = next(body for body in node.asked if "track_total_hits" in body and "from" in body)
    assert window["_source"] is False


async def test_a_model_that_changed_is_asked_for_anew() -> None:
    other = {**LISTWISE, "model": {"name": "n", "revision": "", "fingerprint": "0" * 16}}
    async with sidecar_of(other) as changed:
        node = Node()
        for _ in range(2):
            result = await Searcher(node, changed).search("i", BODY)
            assert result.reason == "stale_vectors"
        paths = [path for path, *_ in node.requests]
        assert paths.count("/i/_mapping") == 2


async def test_insertrank_without_an_llm(sidecar: SidecarClient) -> None:
    options = SearchOptions(strategy=Strategy.INSERTRANK)
    result = await Searcher(Node(), sidecar).search("i", BODY, options)
    assert (result.status, result.reason) == (Status.PASSED_THROUGH, "no_llm")
    failing = SearchOptions(strategy=Strategy.INSERTRANK, on_failure=OnFailure.FAIL)
    with pytest.raises(ModelUnavailable, match="RANKSIDE_LLM__URL"):
        await Searcher(Node(), sidecar).search("i", BODY, failing)


async def test_an_llm_that_moves_nothing_costs_no_rescore() -> None:
    results = [
        {"id": f"i/{n}", "rank": n + 1, "score": 1.0, "first_stage_rank": n + 1,
         "first_stage_score": 1.0}
        for n in range(4)
    ]  # fmt: skip
    same = {**LISTWISE, "results": results, "strategy": "insertrank", "model": None}
    for name in ("vector", "first_stage_weight", "signals"):
        del same[name]
    cards = [CARD, {"id": "l", "kind": "llm", "prompt_hits": 4}]
    async with sidecar_of(same, cards) as agreeing:
        node = Node(refuse())
        options = SearchOptions(strategy=Strategy.INSERTRANK)
        result = await Searcher(node, agreeing).search("i", BODY, options)
    assert (result.status, result.method) == (Status.RERANKED, Method.RESCORE)
    assert node.asked[-1] == BODY
