"""Our own OpenAPI document: complete, and no call it allows or forbids ends in a defect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.doubles import WordEncoder
from tests.serving import serving


def _never() -> Encoder:
    raise AssertionError("the document is there before the model")


schema = schemathesis.openapi.from_dict(create_app(SidecarOptions(), _never).openapi())


@pytest.fixture(scope="session")
def document(sidecar_url: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{sidecar_url}/openapi.json").json()
    return answer


@pytest.fixture(scope="module")
def cheap_url() -> Iterator[str]:
    """The same routes over an encoder that costs nothing, as hundreds of calls follow."""
    with serving(create_app(SidecarOptions(), WordEncoder())) as url:
        yield url


@schema.parametrize()
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_call_is_a_defect(case: schemathesis.Case, cheap_url: str) -> None:
    case.call_and_validate(base_url=cheap_url, checks=[not_a_server_error], timeout=30)


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["tags"], path
            assert operation["summary"], path
            assert operation["description"], path


def test_every_body_has_examples_and_errors_of_one_shape(document: dict[str, Any]) -> None:
    posts = [
        operations["post"] for operations in document["paths"].values() if "post" in operations
    ]
    assert len(posts) == 6
    for operation in posts:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert body["examples"], operation["operationId"]
        assert operation["security"], operation["operationId"]
        for status in ("401", "413", "422", "429"):
            answer = operation["responses"][status]["content"]["application/json"]["schema"]
            assert answer == {"$ref": "#/components/schemas/ErrorAnswer"}


def test_examples_are_answered(document: dict[str, Any], sidecar_url: str) -> None:
    for path, operations in document["paths"].items():
        if "post" not in operations:
            continue
        body = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        for example in body["examples"]:
            answer = httpx.post(sidecar_url + path, json=example, timeout=30)
            assert answer.status_code == 200, (path, answer.text)
