"""Both clients against a scripted server: what is retried, what is translated, what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors import engine as engine_module
from connectors.connect import connect
from connectors.engine import Engine, EngineKind
from connectors.options import EngineOptions
from plugin.ranking.errors import EngineRejected, EngineUnavailable, SettingsError
from tests.unit.connectors.conftest import JSON, Answer, Certificates, Script

NODES = {
    EngineKind.OPENSEARCH: b'{"nodes": {"n": {"version": "3.6.0", "build_type": "tar"}}}',
    EngineKind.ELASTICSEARCH: b'{"nodes": {"n": {"version": "9.5.3", "build_flavor": "default"}}}',
}


@pytest.fixture(params=list(EngineKind))
async def engine(
    request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    monkeypatch.setattr(engine_module, "_FIRST_WAIT", 0.001)
    options = EngineOptions(url=url, kind=request.param, timeout=5, retries=2)
    opened = await connect(options)
    yield opened
    await opened.close()


def error(status: int, kind: str = "some_exception", reason: str = "because") -> Answer:
    cause = f'{{"type": "{kind}", "reason": "{reason}"}}'
    body = f'{{"error": {{"type": "{kind}", "reason": "{reason}", "root_cause": [{cause}]}}}}'
    return status, JSON, body.encode()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_passes_by_itself_is_tried_again(
    engine: Engine, script: Script, status: int
) -> None:
    script.answers = [error(status), (status, "text/html", b"<html>"), (200, JSON, b'{"a": 1}')]
    assert await engine.request("POST", "/x", body={"q": 1}) == {"a": 1}
    assert [body for *_, body in script.seen] == [b'{"q":1}'] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 500])
async def test_nothing_else_is_tried_again(engine: Engine, script: Script, status: int) -> None:
    script.answers = [error(status)]
    with pytest.raises(EngineRejected, match=rf"HTTP {status} \(some_exception\): because") as got:
        await engine.request("POST", "/x", body={})
    assert (got.value.status, got.value.kind) == (status, "some_exception")
    assert len(script.seen) == 1


async def test_trying_again_ends(engine: Engine, script: Script) -> None:
    script.answers = [error(503)]
    with pytest.raises(EngineRejected, match="503"):
        await engine.request("GET", "/x")
    assert len(script.seen) == 3


async def test_a_timeout_is_not_tried_again(url: str, script: Script) -> None:
    """The engine may be at work on it: a write could happen twice."""
    script.delay = 1.0
    for kind in EngineKind:
        script.seen.clear()
        hasty = await connect(EngineOptions(url=url, kind=kind, timeout=0.2, retries=3))
        with pytest.raises(EngineUnavailable, match="in time"):
            await hasty.request("POST", "/x/_bulk", body=[{"index": {}}, {}])
        await hasty.close()
        assert len(script.seen) == 1


async def test_an_error_that_is_no_json_is_told_as_it_is(engine: Engine, script: Script) -> None:
    script.answers = [(500, "text/plain", b"the proxy is sad")]
    with pytest.raises(EngineRejected, match="the proxy is sad"):
        await engine.request("GET", "/x")


async def test_an_answer_that_is_no_json(engine: Engine, script: Script) -> None:
    script.answers = [(200, JSON, b"{oops")]
    with pytest.raises(EngineUnavailable, match="not JSON"):
        await engine.request("GET", "/x")


async def test_lines_are_sent_as_lines(engine: Engine, script: Script) -> None:
    script.answers = [
        (200, JSON, b'{"took": 3, "items": [{"index": {"_id": "a", "status": 201}}]}')
    ]
    outcome = await engine.bulk("some", [{"index": {"_id": "a"}}, {"n": 1}])
    method, path, headers, body = script.seen[0]
    assert (method, path) == ("POST", "/some/_bulk")
    assert headers["content-type"] == "application/x-ndjson"
    assert body.splitlines() == [b'{"index":{"_id":"a"}}', b'{"n":1}']
    assert (outcome.took_ms, outcome.items[0].status) == (3, 201)


async def test_plain_json_is_spoken_so_that_every_version_understands(
    engine: Engine, script: Script
) -> None:
    await engine.request("POST", "/x", body={})
    *_, headers, _ = script.seen[0]
    assert (headers["accept"], headers["content-type"]) == (JSON, JSON)


async def test_deprecations_are_logged(
    engine: Engine, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.headers = {"Warning": '299 Engine-1 "[old] is deprecated"'}
    with caplog.at_level("DEBUG", logger="connectors"):
        await engine.request("GET", "/x")
    assert "[old] is deprecated" in caplog.text


async def test_a_search_of_a_point_in_time_names_no_index(engine: Engine, script: Script) -> None:
    await engine.search("some", {"pit": {"id": "x"}})
    await engine.search("", {})
    await engine.search("a,b-*", {}, params={"routing": "r", "lenient": True})
    paths = [path for _, path, *_ in script.seen]
    assert paths[:2] == ["/_search", "/_search"]
    assert paths[2].startswith("/a,b-*/_search?")
    assert "lenient=true" in paths[2]


@pytest.mark.parametrize("kind", list(EngineKind))
async def test_the_kind_is_asked_for_where_it_is_not_named(
    url: str, script: Script, kind: EngineKind
) -> None:
    script.answers = [(200, JSON, NODES[kind])]
    found = await connect(EngineOptions(url=url))
    assert found.kind is kind
    await found.close()
    assert [path for _, path, *_ in script.seen] == ["/_nodes/_local"]


ROOTS = {
    EngineKind.OPENSEARCH: b'{"version": {"distribution": "opensearch", "number": "3.6.0"}}',
    EngineKind.ELASTICSEARCH: b'{"version": {"number": "9.5.3", "build_flavor": "serverless"}}',
}


@pytest.mark.parametrize("kind", list(EngineKind))
async def test_a_managed_cluster_that_hides_its_nodes_says_it_at_its_root(
    url: str, script: Script, kind: EngineKind
) -> None:
    script.answers = [error(410), (200, JSON, ROOTS[kind])]
    found = await connect(EngineOptions(url=url))
    assert found.kind is kind
    script.answers = [error(410), (200, JSON, ROOTS[kind])]
    info = await found.info()
    assert (info.version, info.plugins) == ("3.6.0" if kind == "opensearch" else "9.5.3", ())
    await found.close()


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"nodes": {}}', b'{"version": "1"}', b'"hello"'])
async def test_what_is_no_engine(url: str, script: Script, body: bytes) -> None:
    script.answers = [(200, JSON, body)]
    with pytest.raises(EngineUnavailable, match="neither OpenSearch nor Elasticsearch"):
        await connect(EngineOptions(url=url))


async def test_a_refused_user_is_told_so(url: str, script: Script) -> None:
    script.answers = [error(401, "security_exception", "missing credentials")]
    with pytest.raises(EngineRejected, match="missing credentials"):
        await connect(EngineOptions(url=url))


@pytest.mark.parametrize("kind", list(EngineKind))
async def test_tls_with_our_authority_and_our_certificate(
    secure: tuple[str, bool], certificates: Certificates, kind: EngineKind
) -> None:
    url, mutual = secure
    known: dict[str, Any] = {"url": url, "kind": kind, "timeout": 5}
    ours = {"client_cert": certificates["client"], "client_key": certificates["client-key"]}
    trusting = EngineOptions(**known, ca_file=certificates["ca"], **(ours if mutual else {}))
    assert await asked(trusting) == {}
    careless = EngineOptions(**known, verify=False, **(ours if mutual else {}))
    assert await asked(careless) == {}
    with pytest.raises(EngineUnavailable, match=r"(?i)certificate|tls|ssl"):
        await asked(EngineOptions(**known, **(ours if mutual else {})))
    if mutual:
        with pytest.raises(EngineUnavailable):
            await asked(EngineOptions(**known, ca_file=certificates["ca"]))


async def asked(options: EngineOptions) -> Any:
    engine = await connect(options)
    try:
        return await engine.request("GET", "/x")
    finally:
        await engine.close()
        await asyncio.sleep(0.05)  # the TLS farewell


@pytest.mark.parametrize("kind", list(EngineKind))
@pytest.mark.parametrize(
    ("proof", "header"),
    [
        ({"username": "ann", "password": "s3cret"}, "Basic YW5uOnMzY3JldA=="),
        ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
    ],
)
async def test_the_proof_of_who_we_are_is_sent(
    url: str, script: Script, kind: EngineKind, proof: dict[str, str], header: str
) -> None:
    await asked(EngineOptions.model_validate({"url": url, "kind": kind, **proof}))
    *_, headers, _ = script.seen[0]
    assert headers["authorization"] == header


@pytest.mark.parametrize("kind", list(EngineKind))
async def test_a_file_that_is_missing_is_named(kind: EngineKind, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    options = EngineOptions(url="https://127.0.0.1:1", kind=kind, ca_file=missing)
    with pytest.raises(SettingsError, match=r"none\.pem is not a file"):
        await asked(options)
    missing.write_text("no certificate")
    with pytest.raises(SettingsError, match="cannot be used"):
        await asked(options)


def rejected_options() -> list[tuple[dict[str, Any], str]]:
    return [
        ({"url": "ftp://x"}, "url"),
        ({"url": "http://ann:secret@host:9200"}, "url"),
        ({"username": "ann"}, "username and password"),
        ({"password": "x"}, "username and password"),
        ({"api_key": "x", "username": "a", "password": "b"}, "not both"),
        ({"client_key": "k.pem"}, "client_cert"),
        ({"retries": -1}, "retries"),
        ({"verfy": False}, "verfy"),
    ]


@pytest.mark.parametrize(("given", "message"), rejected_options())
def test_options_that_contradict_each_other(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EngineOptions.model_validate(given)


async def test_an_address_without_a_port_means_its_schemes() -> None:
    for kind in EngineKind:
        for url, full in (
            ("https://search.example", "https://search.example:443"),
            ("http://search.example/prefix/", "http://search.example:80/prefix"),
            ("http://[::1]:9200", "http://[::1]:9200"),
        ):
            engine = await connect(EngineOptions(url=url, kind=kind))
            assert engine.url == full
            await engine.close()


async def test_a_prefix_of_the_address_is_kept(url: str, script: Script) -> None:
    for kind in EngineKind:
        script.seen.clear()
        assert await asked(EngineOptions(url=f"{url}/behind/proxy", kind=kind)) == {}
        assert script.seen[0][1] == "/behind/proxy/x"
