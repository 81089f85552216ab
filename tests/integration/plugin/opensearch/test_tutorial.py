"""The tutorial of the plugin, run block by block as it stands on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from opensearchpy import OpenSearch

from deploy.local import RunningNode
from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.pages import ROOT, follow
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "opensearch-plugin.md"
BEGINS = [
    "rankside engine up --plugin",
    "RANKSIDE_MODEL__NAME=all-minilm-l6-v2 rankside serve",
    "engine=$(rankside engine status --url-only)",
    "sidecar=http://127.0.0.1:8080",
]
INDICES = "notes,rankside-eval-house-notes-*"


@pytest.fixture
def engine(plugin_node: RunningNode, opensearch: OpenSearch) -> Iterator[str]:
    """The node, which has nothing of the tutorial in the end."""
    yield plugin_node.url
    opensearch.indices.delete(index=INDICES, ignore_unavailable=True)
    opensearch.search_pipeline.delete(id="notes-rerank", ignore=404)
    opensearch.ingest.delete_pipeline(id="notes-embed", ignore=404)


def test_every_block_prints_what_the_page_says(engine: str, minilm: Encoder) -> None:
    with ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        ran = follow(PAGE, engine, sidecar, begins=BEGINS, stop=running.close)
    assert all(step.documents or step.lines for step in ran)
