"""The tutorial of the Elasticsearch plugin, run block by block as it stands on the page."""

from __future__ import annotations

from contextlib import ExitStack

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.integration.plugin.elasticsearch.conftest import StartNode
from tests.pages import ROOT, follow
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "elasticsearch-plugin.md"
UP = "rankside engine up --engine elasticsearch --plugin"
BEGINS = [
    f"{UP} --setting rankside.sidecar.url=http://127.0.0.1:8080",
    "RANKSIDE_MODEL__NAME=all-minilm-l6-v2 rankside serve",
    "engine=$(rankside engine status --engine elasticsearch --url-only)",
    "sidecar=http://127.0.0.1:8080",
]


def test_every_block_prints_what_the_page_says(
    start_plugin_node: StartNode, minilm: Encoder
) -> None:
    with ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        node = start_plugin_node(sidecar)
        ran = follow(PAGE, node.url, sidecar, begins=BEGINS, stop=running.close)
    assert all(step.documents or step.lines for step in ran)
