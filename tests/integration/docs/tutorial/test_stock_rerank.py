"""The tutorial of the stock path, run block by block as it stands on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.pages import ROOT, shell, steps
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "stock-rerank.md"
STOP = "\nStop it, with Ctrl-C"


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
    page = PAGE.read_text("utf-8")
    start, addresses, *rest = steps(page)
    assert start.commands.split("\n")[1] == "rankside serve"
    assert addresses.commands.startswith("engine=")
    stops = page.index(STOP)
    with shell() as bash, ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        bash.run(f"engine={engine}\nsidecar={sidecar}")
        for step in rest:
            if step.place > stops:
                running.close()  # the sidecar
            step.check(bash.run(step.commands))
    assert sum(bool(step.documents) for step in rest) == 11, "blocks that print something"
