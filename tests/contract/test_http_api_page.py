"""The examples of docs/reference/http-api.md are answered as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from plugin.sidecar.metrics import REASONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(r"```http\nPOST (\S+)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize(("path", "body"), EXAMPLES)
def test_example_is_answered(sidecar_url: str, path: str, body: str) -> None:
    answer = httpx.post(sidecar_url + path, json=json.loads(body), timeout=30)
    assert answer.status_code == 200, answer.text


def test_every_call_and_every_reason_is_on_the_page(sidecar_url: str) -> None:
    paths = httpx.get(f"{sidecar_url}/openapi.json").json()["paths"]
    assert [path for path in paths if f"{path}`" not in TEXT] == []
    assert [reason for reason in REASONS if reason not in TEXT and reason != "other"] == []


def test_every_series_is_on_the_page(sidecar_url: str) -> None:
    exposed = httpx.get(f"{sidecar_url}/metrics").text
    names = re.findall(r"^# TYPE (rankside_\w+) ", exposed, re.MULTILINE)
    names = [name for name in names if not name.endswith("_created")]
    assert len(names) > 10
    assert [name for name in names if name not in TEXT] == []
