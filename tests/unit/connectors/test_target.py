"""The rules that the OpenSearch plugin has too, by the cases that its tests run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.index import IndexCatalogue
from connectors.search_options import PassThrough, SearchOptions
from connectors.target import Target, find_target
from tests.unit.connectors.fakes import FakeEngine

FILE = Path(__file__).parents[2] / "cases" / "target.json"
CASES = json.loads(FILE.read_text("utf-8"))
Case = Mapping[str, Any]


async def target_of(case: Case) -> Target:
    mappings = {
        index: {"mappings": CASES["mappings"][named]} for index, named in case["indices"].items()
    }
    options = SearchOptions(**case["options"])
    return await find_target(FakeEngine(lambda *_: mappings), IndexCatalogue(), "any", options)


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: case["name"])
async def test_what_a_search_works_on(case: Case) -> None:
    target = await target_of(case)
    assert list(target.text_fields) == case["text_fields"]
    assert target.vector_field == case["vector_field"]
    assert target.vectors.dimensions == case["dimensions"]
    assert target.fingerprint == case["fingerprint"]
    assert target.hash_field == case["hash_field"]
    assert list(target.lacking) == case["lacking"]


@pytest.mark.parametrize("case", CASES["passed_through"], ids=lambda case: case["name"])
async def test_why_it_works_on_nothing(case: Case) -> None:
    with pytest.raises(PassThrough) as passed:
        await target_of(case)
    assert passed.value.reason == case["reason"]
