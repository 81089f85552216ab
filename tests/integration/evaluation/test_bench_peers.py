from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation import peer_speed
from evaluation.bench_peers import app


def test_every_way_is_measured_and_what_was_not_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without infinity-emb, whose installation takes gigabytes."""
    monkeypatch.setattr(peer_speed, "BATCHES", (1, 2))
    monkeypatch.setattr(peer_speed, "CROWDS", (1, 2))
    out, plot = tmp_path / "out.json", tmp_path / "plot.svg"
    words = ["--seconds", "1", "--window", "2", "--no-infinity"]

    result = CliRunner().invoke(app, [*words, "--json", str(out), "--plot", str(plot)])

    assert result.exit_code == 0, result.output
    document = json.loads(out.read_text("utf-8"))
    sections = document["sections"]
    ways = [name for name, row in sections["rerank 2 hits"].items() if "median_ms" in row]
    assert len(ways) == 4
    assert len(sections["embeddings"]) == 2 * 2 + 2
    assert set(document["skipped"]) == {"text-embeddings-inference", "infinity-emb"}
    assert sections["servers"]["rankside"]["start_s"] > 0
    assert plot.stat().st_size > 0
