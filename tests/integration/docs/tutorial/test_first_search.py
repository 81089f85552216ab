"""The first tutorial, its commands run as they stand on the page, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.pages import ROOT, shell, steps
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "first-search.md"


@pytest.fixture(params=["opensearch_url", "elasticsearch_url"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """A node of either engine, which has nothing of the tutorial in the end."""
    url: str = request.getfixturevalue(request.param)
    yield url
    httpx.delete(f"{url}/notes", timeout=30)


def test_it_ends_in_a_reranked_search_that_outlives_the_sidecar(
    engine: str, minilm: Encoder, tmp_path: Path
) -> None:
    start, ingest, search, doctor, end = [step.commands for step in steps(PAGE.read_text("utf-8"))]
    assert start.splitlines()[1] == "rankside serve"
    assert end == start.splitlines()[0].replace(" up ", " down ") + "\n"
    with shell() as bash, ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        # What the two commands of the start leave to be found.
        bash.run(f"export RANKSIDE_ENGINE__URL={engine} RANKSIDE_CLIENT__URL={sidecar}")
        bash.run(f"cd {tmp_path}")
        assert "3 indexed" in bash.run(ingest)
        assert "\nreranked" in bash.run(search)
        assert "✗" not in bash.run(doctor)
        running.close()
        assert "\npassed_through" in bash.run(search)
