"""`rankside tune` as a user types it, on a run file: no engine is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rankside.settings import load_settings
from tests.judged import write_judged

FIRST_STAGE_ONLY = {"RANKSIDE_MODEL__FUSION__FIRST_STAGE": "1"}


def rankside_tune(
    *arguments: str | Path, cache: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANKSIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "rankside", "tune", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **kept,
            "HF_HUB_OFFLINE": "1",
            "XDG_CACHE_HOME": str(cache),
            "RANKSIDE_MODEL__NAME": "all-minilm-l6-v2",
            "COLUMNS": "120",
            **variables,
        },
    )


def test_what_is_better_is_written_and_loads_as_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_judged(tmp_path / "articles")
    file, report = tmp_path / "tuned.toml", tmp_path / "report.json"
    done = rankside_tune(
        *(folder, "--run", folder / "poor.trec", "--window", "12", "--prompt-hits", "3"),
        *("--write", file, "--json", report),
        cache=tmp_path,
        **FIRST_STAGE_ONLY,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(report.read_text("utf-8"))
    assert document["weights"]["taken"]
    assert document["first_stage"] == {"run": "poor.trec"}
    assert "chosen, held out" in done.stdout
    assert "RANKSIDE_PIPELINES__WINDOW=12" in done.stdout
    for name in [name for name in os.environ if name.startswith("RANKSIDE_")]:
        monkeypatch.delenv(name)
    settings = load_settings(str(file))
    assert settings.model.fusion is not None
    assert settings.model.fusion.model_dump() == document["settings"]["model"]["fusion"]
    assert settings.pipelines.window == 12
