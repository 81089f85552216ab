"""`rankside train` as a user types it, and its adapter in a search's evaluation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import write_collection, write_first_stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "tiny")


def rankside(
    *arguments: str | Path, home: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANKSIDE_")}
    settings = {"RANKSIDE_MODEL__NAME": "all-minilm-l6-v2", "HF_HUB_OFFLINE": "1"} | variables
    return subprocess.run(
        [sys.executable, "-m", "rankside", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **settings, "XDG_CACHE_HOME": str(home), "COLUMNS": "120"},
    )


def answer(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_adapter_is_trained_and_evaluated(folder: Path, tmp_path: Path) -> None:
    run = write_first_stage(tmp_path / "first.trec")
    adapter = tmp_path / "adapter"
    command = ("train", "adapter", adapter, "--data", folder, "--split", "test", "--run", run)
    settings = ("--batch", "3", "--prompt-hits", "2", "--epochs", "2", "--json")

    outline = answer(rankside(*command, *settings, "--dry-run", home=tmp_path))
    assert {"model": "all-minilm-l6-v2", "examples": 3, "steps": 2}.items() <= outline.items()
    assert not list(adapter.iterdir())

    report = answer(rankside(*command, *settings, home=tmp_path))
    assert (report["steps"], report["folder"]) == (2, str(adapter))

    scored = answer(
        rankside(
            *("eval", folder, "--run", run, "--strategies", "query,listwise", "--json", "-"),
            home=tmp_path,
            RANKSIDE_MODEL__LISTWISE_ADAPTER=str(adapter),
        ),
        code=5,  # one document has no text, and so no vector
    )
    assert scored["model"]["fingerprint"] == outline["fingerprint"]
    assert [row["strategy"] for row in scored["results"]] == ["query", "listwise"]


def test_a_recipe_of_this_python_can_be_trained_on(tmp_path: Path) -> None:
    made = answer(
        rankside(
            *("train", "recipe", tmp_path / "free", "--documents", "60", "--queries", "30"),
            "--json",
            home=tmp_path,
        )
    )

    assert (made["documents"], made["queries"]) == (60, 30)
    assert (tmp_path / "free" / "qrels" / "dev.tsv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to train on"),
        (("--run", "first.trec"), "need --data"),
        (("--data", "nowhere", "--index", "mine", "--run", "x"), "leave one out"),
        (("--permutations", "nowhere.jsonl"), "cannot be read"),
    ],
)
def test_what_is_lacking_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = rankside("train", "adapter", tmp_path / "out", *arguments, home=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
