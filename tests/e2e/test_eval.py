"""`rankside eval` as a user types it, on a run file: no engine is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.runs import read_run
from plugin.ranking.errors import SettingsError
from rankside.cli.root import app
from tests.tiny import write_collection, write_first_stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "tiny")


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    return write_first_stage(tmp_path / "first.trec")


def rankside_eval(*arguments: str | Path, cache: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANKSIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "rankside", "eval", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **kept,
            "HF_HUB_OFFLINE": "1",
            "XDG_CACHE_HOME": str(cache),
            "RANKSIDE_MODEL__NAME": "all-minilm-l6-v2",
            "COLUMNS": "120",
        },
    )


def test_json_on_standard_output_is_nothing_but_json(
    folder: Path, run_file: Path, tmp_path: Path
) -> None:
    done = rankside_eval(
        *(folder, "--run", run_file, "--strategies", "none,query,e2rank", "--window", "3"),
        *("--json", "-", "--runs-out", tmp_path / "out"),
        *("--html", tmp_path / "new" / "report.html", "--plots", tmp_path / "plots"),
        cache=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {"dataset": "tiny", "k": 3, "queries": 3}.items() <= document.items()
    assert [row["strategy"] for row in document["results"]] == ["none", "query", "e2rank"]
    for row in document["results"]:
        assert 0 <= row["nDCG@10"] <= 1
    none, _, e2rank = document["results"]
    assert none["p_value_vs_none"] is None
    assert e2rank["signals"]
    assert 0 < e2rank["p_value_vs_none"] <= 1
    written = read_run(tmp_path / "out" / "tiny.e2rank.trec")
    assert {query: len(found) for query, found in written.items()} == dict.fromkeys(written, 3)
    page = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert document["verdict"] in unescape(page)
    assert "how do bakers make a loaf rise" in page
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == [
        "tiny.deltas.png",
        "tiny.deltas.svg",
    ]


def test_a_table_is_for_eyes_and_json_goes_to_a_file(
    folder: Path, run_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report" / "eval.json"
    done = rankside_eval(
        folder, "--run", run_file, "--strategies", "none", "--json", out, cache=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "none" in done.stdout
    assert "first.trec" in done.stdout
    assert json.loads(out.read_text("utf-8"))["results"][0]["strategy"] == "none"


def test_a_search_that_was_not_reranked_is_said_by_the_exit_code(
    folder: Path, run_file: Path, tmp_path: Path
) -> None:
    done = rankside_eval(folder, "--run", run_file, "--strategies", "query", cache=tmp_path)
    assert done.returncode == 5
    assert "no_vector_and_no_text:1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strategies", "best"), "strategy 'best' is not known"),
        (("--split", "dev"), "dev.tsv cannot be read"),
        (("--through", "engine"), "ranked in memory"),
        (("--through", "magic"), "use engine or memory"),
        (("--window", "0"), "--window is '0'"),
        (("--window", "20,many"), "give whole numbers from 1 to 10000"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    folder: Path, run_file: Path, tmp_path: Path, arguments: tuple[str, str], message: str
) -> None:
    done = rankside_eval(folder, "--run", run_file, *arguments, cache=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--json", "--runs-out", "--html", "--plots"])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_run(
    folder: Path, run_file: Path, option: str
) -> None:
    typed = [*("eval", folder, "--run", run_file), *(option, run_file / "inner")]
    done = CliRunner().invoke(app, [str(word) for word in typed])
    assert isinstance(done.exception, SettingsError)
    assert done.stdout == ""
    assert re.match(f"{option} .* cannot be written", str(done.exception))


def test_a_finished_run_is_printed_though_its_files_cannot_be_written(
    folder: Path, run_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "tiny.none.trec").mkdir(parents=True)
    done = rankside_eval(
        *(folder, "--run", run_file, "--strategies", "none"),
        *("--json", "-", "--runs-out", tmp_path / "out"),
        cache=tmp_path,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["results"][0]["strategy"] == "none"
    assert "tiny.none.trec cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
