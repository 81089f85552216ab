"""The demo's ingest: all of the corpus, or no figures."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.options import EngineOptions, SidecarClientOptions
from ingest.embedders import SidecarEmbedder
from ingest.run import IngestReport
from plugin.ranking.errors import PartlyDone
from rankside.cli.console import progress
from rankside.demo import ingest as demo_ingest


class Closing:
    """Notes that it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Closing]:
    """Engine and embedder, neither of which is there."""
    both = [Closing(), Closing()]

    async def connect(_where: EngineOptions) -> Closing:
        return both[0]

    async def connect_embedder(_client: SidecarClientOptions) -> Closing:
        return both[1]

    monkeypatch.setattr(demo_ingest, "connect", connect)
    monkeypatch.setattr(SidecarEmbedder, "connect", connect_embedder)
    return both


async def ingested(folder: Path, monkeypatch: pytest.MonkeyPatch, *, rejected: int) -> IngestReport:
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "a", "text": "b"}) + "\n")

    async def ingest(*_: Any, progress: Any) -> SimpleNamespace:
        progress(SimpleNamespace(settled=9))
        return SimpleNamespace(read=9, rejected=rejected, dead_letter="dead.jsonl")

    monkeypatch.setattr(demo_ingest, "ingest", ingest)
    where, client = EngineOptions(url="http://e:9200"), SidecarClientOptions()
    with progress(quiet=True) as bar:
        return await demo_ingest.ingest_corpus(folder, 9, where, client, bar)


async def test_a_corpus_that_was_refused_in_part_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[Closing]
) -> None:
    with pytest.raises(PartlyDone, match=r"2 of 9 documents .* dead\.jsonl says why"):
        await ingested(tmp_path, monkeypatch, rejected=2)
    assert all(one.closed for one in opened)


async def test_a_corpus_that_is_whole_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[Closing]
) -> None:
    report = await ingested(tmp_path, monkeypatch, rejected=0)
    assert report.read == 9
    assert all(one.closed for one in opened)
