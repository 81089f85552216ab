from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import httpx
import pytest

from evaluation.bench_peers import draw, ratios
from evaluation.peer_speed import Embedder, Texts, open_loop
from evaluation.peers import resident_mib
from tests.llm_server import LLMServer
from tests.serving import serving

ROWS = {"ours": {"median_ms": 2.0}, "theirs": {"median_ms": 9.0}}


def test_a_ratio_says_how_many_times_as_long_another_takes() -> None:
    assert ratios(ROWS, "ours") == {"theirs / ours": {"times": 4.5}}


def test_no_text_comes_twice() -> None:
    texts = Texts()

    found = [*texts.some(600), *texts.some(600)]

    assert len(set(found)) == 1200
    assert {len(text.split()) for text in found} == {121}


def test_the_plot_has_a_line_for_each_way(tmp_path: Path) -> None:
    out = tmp_path / "plot.svg"
    sections = {f"rerank {window} hits": {**ROWS, **ratios(ROWS, "ours")} for window in (20, 100)}

    draw({"sections": sections, "model": "tiny", "machine": {"cores": 2}}, out)

    found = ET.parse(out).getroot()
    ids = {one.get("id", "") for one in found.iter("{http://www.w3.org/2000/svg}g")}
    assert {"line2d_1", "legend_1"} <= ids


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it in /proc")
def test_a_process_has_held_some_memory() -> None:
    assert (resident_mib(os.getpid()) or 0) > 10


def test_nobody_tells_of_a_process_that_is_gone() -> None:
    assert resident_mib(2**22 + 1) is None


async def test_arrivals_wait_for_nobody() -> None:
    """A server that takes its time has them all at once, where a closed loop would send one."""
    server = LLMServer()
    server.delay = 0.5
    server.app.post("/v1/embeddings")(server.chat)
    with serving(server.app) as url:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            figures = await open_loop(Embedder(http, "tiny"), rate=40, seconds=0.5)

    assert figures["n"] == len(server.bodies) == 20
    assert server.most_under_way > 1
    assert figures["p99_ms"] >= figures["p50_ms"] >= 500


async def test_a_server_that_refuses_is_not_timed() -> None:
    with serving(LLMServer().app) as url:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            with pytest.raises(httpx.HTTPStatusError, match="404"):
                await open_loop(Embedder(http, "tiny"), rate=40, seconds=0.1)
