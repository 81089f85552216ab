from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.collections import Collection
from evaluation.settled_margin import Cascades, app, recommended, thresholds
from tests.llm_server import LLMServer
from tests.serving import serving
from tests.tiny import RUN

LEADS = np.array([0.1, 0.4, 0.2, 0.3])
E2RANK = np.array([0.2, 0.9, 0.4, 0.8])
CASCADE = np.array([0.8, 0.9, 0.5, 0.8])


def test_a_threshold_leaves_the_llm_what_lies_below_it() -> None:
    found = thresholds(Cascades(LEADS, E2RANK, CASCADE), (0.25, 0.5, 0.75, 1.0))

    assert [(one.margin, one.saved) for one in found] == [
        (0.4, 0.25),
        (0.3, 0.5),
        (0.2, 0.75),
        (0.1, 1.0),
    ]
    assert found[1].values.tolist() == CASCADE.tolist()
    assert found[2].values.tolist() == [0.8, 0.9, 0.4, 0.8]
    assert found[3].versus.difference == pytest.approx(float((E2RANK - CASCADE).mean()))


def test_the_most_is_saved_that_surely_costs_no_more_than_is_allowed() -> None:
    found = thresholds(Cascades(LEADS, E2RANK, CASCADE), (0.25, 0.5, 0.75, 1.0))

    assert recommended(found, 0.0) == 0.3
    assert recommended(found, 0.11) == 0.2
    assert recommended(found, 1.0) == 0.1
    assert recommended(found[2:], 0.0) is None


def test_no_lead_settles_nothing() -> None:
    assert thresholds(Cascades(np.zeros(3), np.ones(3), np.zeros(3))) == []


def test_the_command_measures_cascades_and_names_a_margin(
    tiny: Collection, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tiny  # its files lie in the folder
    server, out = LLMServer(), tmp_path / "out.json"
    server.answer = "[2] > [1]"
    monkeypatch.setenv("RANKSIDE_HOME", str(tmp_path / "home"))
    words = ["--data", str(tmp_path), "--collection", "tiny", "--run", str(run_file)]
    words += ["--model", "all-minilm-l6-v2", "--loss", "1", "--json", str(out)]
    with serving(server.app) as url:
        monkeypatch.setenv("RANKSIDE_LLM__URL", f"{url}/v1")
        result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.output
    assert len(server.bodies) == len(RUN)
    document = json.loads(out.read_text("utf-8"))
    last = document["thresholds"][-1]
    assert last["saved"] == 1.0
    assert last["nDCG@10"] == document["e2rank"]["nDCG@10"] != document["cascade"]["nDCG@10"]
    assert document["settled_margin"] == pytest.approx(last["margin"], abs=1e-4)
    assert "RANKSIDE_LLM__SETTLED_MARGIN=" in result.stderr
