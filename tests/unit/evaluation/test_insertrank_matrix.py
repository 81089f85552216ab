from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evaluation.collections import Collection, sampled
from evaluation.insertrank_matrix import app
from tests.llm_server import LLMServer
from tests.serving import serving
from tests.tiny import RUN


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMServer]:
    """The LLM of the settings."""
    made = LLMServer()
    made.answer = "[2] > [1]"
    with serving(made.app) as url:
        monkeypatch.setenv("RANKSIDE_LLM__URL", f"{url}/v1")
        yield made


def measured(tiny: Collection, run_file: Path, tmp_path: Path, *words: str) -> Result:
    del tiny  # its files lie in the folder
    data = ["--data", str(tmp_path), "--collection", "tiny", "--run", str(run_file)]
    return CliRunner().invoke(app, [*data, *words])


def figures(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_way_to_ask_is_measured(
    server: LLMServer, tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    document = figures(measured(tiny, run_file, tmp_path, "--decoding", "permutation"))

    cells = document["cells"]
    assert len(cells) == 5 * 3
    assert document["queries"] == len(RUN)
    assert len(server.bodies) == 5 * 3 * len(RUN)
    by = {(cell["score_mode"], cell["initial_order"]): cell for cell in cells}
    # Of the first stage's order the second comes first, which is better for q1 and q3 and not q2.
    raw = by["raw", "first_stage"]
    assert raw["nDCG@10"] > document["first_stage"]["nDCG@10"]
    assert raw["vs_first_stage"]["difference"] == pytest.approx(
        raw["nDCG@10"] - document["first_stage"]["nDCG@10"], abs=1e-5
    )
    low, high = raw["ci95"]
    assert low <= raw["nDCG@10"] <= high
    # Of the first stage's order reversed, the last but one comes first: another order.
    assert by["raw", "reversed"]["nDCG@10"] != raw["nDCG@10"]


def test_the_table_says_what_the_figures_say(
    server: LLMServer, tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    del server
    out = tmp_path / "out.json"
    words = ["--decoding", "permutation", "--score-mode", "off", "--initial-order", "first_stage"]

    result = measured(tiny, run_file, tmp_path, *words, "--json", str(out))

    (cell,) = json.loads(out.read_text("utf-8"))["cells"]
    assert result.exit_code == 0, result.output
    low, high = cell["vs_first_stage"]["ci95"]
    rows = (line.split() for line in result.stderr.splitlines())
    (row,) = (words for words in rows if words[:2] == ["permutation", "off"])
    assert row[2:4] == ["first_stage", f"{cell['nDCG@10']:.4f}"]
    assert row[-4:-1] == [f"{low:+.3f}", "…", f"{high:+.3f}"]
    assert result.stdout == ""


def test_a_run_that_was_ended_goes_on(
    server: LLMServer, tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    words = ["--decoding", "permutation", "--answers", str(tmp_path / "answers.jsonl")]

    first = figures(measured(tiny, run_file, tmp_path, *words, "--score-mode", "raw"))
    asked = len(server.bodies)
    second = figures(measured(tiny, run_file, tmp_path, *words, "--score-mode", "raw"))

    assert 0 < asked == len(server.bodies)
    assert [one["nDCG@10"] for one in first["cells"]] == [one["nDCG@10"] for one in second["cells"]]


def test_without_an_llm_it_says_how_to_name_one(
    tiny: Collection, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANKSIDE_CONFIG", raising=False)
    result = measured(tiny, run_file, tmp_path)

    assert result.exit_code == 1
    assert "RANKSIDE_LLM__PATH" in result.stderr


def test_the_llm_may_be_named_in_a_file(
    server: LLMServer, tiny: Collection, run_file: Path, tmp_path: Path
) -> None:
    config = tmp_path / "rankside.toml"
    config.write_text('[sidecar]\nport = 1\n[llm]\nmodel = "of the file"\n')
    words = ["--decoding", "permutation", "--score-mode", "raw", "--config", str(config)]

    figures(measured(tiny, run_file, tmp_path, *words))

    assert {body["model"] for body in server.bodies} == {"of the file"}


def test_a_sample_is_the_same_each_time(tiny: Collection) -> None:
    first, second = [sampled(tiny, 2, seed=1) for _ in range(2)]

    assert first.queries == second.queries
    assert len(first.queries) == len(first.qrels) == 2
    assert sampled(tiny, None, seed=1) is tiny
