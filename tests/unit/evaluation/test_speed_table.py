from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.speed_table import show
from evaluation.timing import Sample

DOCUMENT = {
    "sections": {
        "search": {
            "plain": Sample.of([1.0, 2.0, 3.0], 0.006).to_json(),
            "ratio": {"times": 1.25},
            "stages": {"window": {"p50": 4.0, "p95": 5.0, "share": 0.5}},
        }
    },
    "machine": {"cores": 2},
    "versions": {"python": "3"},
}


def test_the_table_has_a_line_for_each_figure(capsys: pytest.CaptureFixture[str]) -> None:
    show(DOCUMENT, "milliseconds")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    told = {cell for line in lines for cell in line}
    assert {"plain", "2.0", "3", "500.0", "ratio", "1.25", "window", "4.0", "50%"} <= told


def test_json_goes_to_a_file_beside_the_table_or_to_stdout_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(DOCUMENT, "milliseconds", str(tmp_path / "out.json"))
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == DOCUMENT
    assert "milliseconds" in capsys.readouterr().out
    show(DOCUMENT, "milliseconds", "-")
    assert json.loads(capsys.readouterr().out) == DOCUMENT
