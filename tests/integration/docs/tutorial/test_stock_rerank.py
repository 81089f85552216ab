"""The tutorial of the stock path, run block by block as it stands on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.pages import ROOT, follow
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "stock-rerank.md"
BEGINS = [
    "rankside engine up --engine opensearch",
    "rankside serve",
    "engine=$(rankside engine status --engine opensearch --url-only)",
    "sidecar=http://127.0.0.1:8080",
]


@pytest.fixture
def engine(opensearch_url: str) -> Iterator[str]:
    """The node, whose settings are as before in the end, and which has nothing of the tutorial."""
    yield opensearch_url
    with httpx.Client(base_url=opensearch_url, timeout=30) as client:
        ours = ("trusted_connector_endpoints_regex", "connector.private_ip_enabled")
        unset = {f"plugins.ml_commons.{name}": None for name in ours}
        client.put("/_cluster/settings", json={"persistent": unset}).raise_for_status()
        client.delete("/_search/pipeline/tutorial-rerank")
        client.delete("/tutorial-notes")


def test_every_block_prints_what_the_page_says(engine: str, minilm: Encoder) -> None:
    with ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        ran = follow(PAGE, engine, sidecar, begins=BEGINS, stop=running.close)
    assert sum(bool(step.documents) for step in ran) == 11, "blocks that print something"
