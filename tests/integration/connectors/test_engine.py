"""Both client libraries against real nodes."""

from __future__ import annotations

import asyncio
import socket
import warnings
from typing import Any

import pytest

from connectors.connect import connect
from connectors.engine import Engine, EngineKind
from connectors.options import EngineOptions
from plugin.ranking.errors import EngineRejected, EngineUnavailable, SettingsError


async def test_the_kind_is_found(engine: Engine, request: pytest.FixtureRequest) -> None:
    info = await engine.info()
    assert info.kind is engine.kind
    assert f"[{engine.kind}" in request.node.name
    assert info.version.split(".")[0] in {"3", "9"}
    assert ("opensearch-knn" in info.plugins) is (engine.kind is EngineKind.OPENSEARCH)


async def test_a_kind_that_is_named_is_believed(engine: Engine, engine_url: str) -> None:
    named = await connect(EngineOptions(url=engine_url, kind=engine.kind))
    try:
        assert (await named.info()).version == (await engine.info()).version
    finally:
        await named.close()


async def test_an_opensearch_taken_for_elasticsearch_is_told_of(opensearch_url: str) -> None:
    engine = await connect(EngineOptions(url=opensearch_url, kind=EngineKind.ELASTICSEARCH))
    try:
        with pytest.raises(EngineUnavailable, match="not Elasticsearch"):
            await engine.info()
    finally:
        await engine.close()


async def test_bulk_tells_of_every_item_in_order(engine: Engine, scratch: str) -> None:
    strict = {"mappings": {"dynamic": "strict", "properties": {"n": {"type": "integer"}}}}
    await engine.request("PUT", f"/{scratch}", body=strict)
    lines: list[dict[str, Any]] = [
        {"index": {"_id": "a"}}, {"n": 1},
        {"index": {"_id": "b"}}, {"unknown": "field"},
        {"create": {"_id": "a"}}, {"n": 2},
        {"delete": {"_id": "zz"}},
        {"update": {"_id": "a"}}, {"doc": {"n": "über"}},
    ]  # fmt: skip
    outcome = await engine.bulk(scratch, lines)
    told = [(item.action, item.id, item.status) for item in outcome.items]
    assert told == [
        ("index", "a", 201),
        ("index", "b", 400),
        ("create", "a", 409),
        ("delete", "zz", 404),
        ("update", "a", 400),
    ]
    assert outcome.items[0].error is None
    assert "strict" in (outcome.items[1].error or "")
    assert "version_conflict" in (outcome.items[2].error or "")


async def test_an_error_names_its_cause(engine: Engine, scratch: str) -> None:
    with pytest.raises(EngineRejected, match="no such index") as missing:
        await engine.search(scratch, {})
    assert (missing.value.status, missing.value.kind) == (404, "index_not_found_exception")
    await engine.request("PUT", f"/{scratch}")
    with pytest.raises(EngineRejected, match="unknown query") as wrong:
        await engine.search(scratch, {"query": {"nonsense": {}}})
    assert wrong.value.status == 400


async def test_names_are_quoted_and_lists_are_not(engine: Engine, scratch: str) -> None:
    await engine.bulk(f"{scratch}-ü", [{"index": {"_id": "ü/1"}}, {"text": "über"}])
    await engine.request("PUT", f"/{scratch}-b")
    found = await engine.search(f"{scratch}-ü,{scratch}-b,{scratch}-x*", {})
    assert found["_shards"]["total"] == 2


async def test_parameters_may_be_truth_values(engine: Engine, scratch: str) -> None:
    answer = await engine.search(scratch, {}, params={"ignore_unavailable": True})
    assert answer["hits"]["hits"] == []


async def test_answers_are_json_even_of_cat(engine: Engine, scratch: str) -> None:
    await engine.request("PUT", f"/{scratch}")
    rows = await engine.request("GET", f"/_cat/indices/{scratch}")
    assert [row["index"] for row in rows] == [scratch]


async def test_deprecations_do_not_become_warnings(engine: Engine, scratch: str) -> None:
    """Names that begin with a dot are deprecated; many requests at once must not mix filters up."""
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dotted = f"/.{scratch}"
        await engine.request("PUT", dotted)
        await asyncio.gather(*(engine.request("GET", f"{dotted}/_settings") for _ in range(8)))
        await engine.request("DELETE", dotted)
    assert list(warnings.filters) == before


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(EngineUnavailable, match="RANKSIDE_ENGINE__URL"):
        await connect(EngineOptions(url=f"http://127.0.0.1:{port}"))
    for kind in EngineKind:
        engine = await connect(EngineOptions(url=f"http://127.0.0.1:{port}", kind=kind))
        with pytest.raises(EngineUnavailable, match="RANKSIDE_ENGINE__URL"):
            await engine.info()
        await engine.close()


async def test_no_address() -> None:
    with pytest.raises(SettingsError, match="--url"):
        await connect(EngineOptions())
