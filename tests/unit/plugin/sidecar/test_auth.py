from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from plugin.ranking.errors import SettingsError
from plugin.sidecar.auth import KeyFile
from tests.doubles import Serve

BODY = {"input": "text"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    made.write_text("# searchers\nfirst-key\n\nsecond-key\n", "utf-8")
    return made


def rewrite(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    mark = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(mark, mark))


def status(client: httpx.Client, key: str | None) -> int:
    headers = {} if key is None else {"Authorization": key}
    return client.post("/v1/embeddings", json=BODY, headers=headers).status_code


def test_any_of_the_keys_is_let_in_and_nothing_else(serve: Serve, path: Path) -> None:
    client = serve(keys_file=path)
    assert status(client, "Bearer first-key") == 200
    assert status(client, "bearer second-key") == 200
    for wrong in (None, "Bearer", "Bearer first-ke", "Basic first-key", "Bearer # searchers"):
        assert status(client, wrong) == 401


def test_a_refusal_has_the_one_shape_and_the_scheme(serve: Serve, path: Path) -> None:
    answer = serve(keys_file=path).get("/v1/models", headers={"X-Request-Id": "mine"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json()["error"]["type"] == "unauthorized"
    assert answer.json()["error"]["request_id"] == "mine"


def test_probes_and_scrapers_need_no_key(serve: Serve, path: Path) -> None:
    client = serve(keys_file=path)
    for open_path in ("/health/live", "/health/ready", "/metrics", "/openapi.json"):
        assert client.get(open_path).status_code == 200


def test_keys_rotate_without_a_restart(serve: Serve, path: Path) -> None:
    client = serve(keys_file=path)
    assert status(client, "Bearer first-key") == 200
    rewrite(path, "second-key\nthird-key\n")
    assert status(client, "Bearer first-key") == 401
    assert status(client, "Bearer second-key") == 200
    assert status(client, "Bearer third-key") == 200


def test_the_last_keys_stay_while_the_file_is_gone(path: Path) -> None:
    keys = KeyFile(path)
    path.unlink()
    assert keys.admits("first-key")
    path.write_text("new-key\n", "utf-8")
    assert keys.admits("new-key")
    assert not keys.admits("first-key")


def test_emptying_the_file_locks_everybody_out(path: Path) -> None:
    keys = KeyFile(path)
    rewrite(path, "")
    assert not keys.admits("first-key")
    assert not keys.admits("")


@pytest.mark.parametrize("content", [None, "# nobody\n", b"\xff\xfe"])
def test_a_useless_file_stops_the_start(tmp_path: Path, content: str | bytes | None) -> None:
    made = tmp_path / "keys"
    if content is not None:
        made.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=r"sidecar\.keys_file"):
        KeyFile(made)


def test_keys_never_show(path: Path) -> None:
    keys = KeyFile(path)
    assert "first-key" not in repr(vars(keys))
