"""Settings that are written are settings that load."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from plugin.models.load import profile_for
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import FusionWeights
from rankside.settings import load_settings
from rankside.tuned_settings import check_ours, environment, text_for

CHOSEN: dict[str, dict[str, Any]] = {
    "model": {
        "name": "all-minilm-l6-v2",
        "fusion": {"listwise": 0.0, "query": 0.75, "rocchio": 0.25, "first_stage": 0.03},
        "prompt_hits": 10,
        "rocchio_hits": 5,
    },
    "pipelines": {"window": 50},
    "llm": {"score_mode": "off"},
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("RANKSIDE_")]:
        monkeypatch.delenv(name)


def as_chosen(config: str | None) -> None:
    settings = load_settings(config)
    profile = profile_for(settings.model)
    assert profile.fusion == FusionWeights(0.0, 0.75, 0.25, 0.03)
    assert (profile.name, profile.prompt_hits, profile.rocchio_hits) == ("all-minilm-l6-v2", 10, 5)
    assert (settings.pipelines.window, settings.llm.score_mode) == (50, "off")


def test_a_toml_file_is_a_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    path.write_text(text_for(path, CHOSEN, "of 200 queries"), "utf-8")
    assert path.read_text("utf-8").startswith("# Chosen by `rankside tune`: of 200 queries\n")
    as_chosen(str(path))


def test_variables_stand_before_what_a_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "rankside.toml"
    config.write_text(
        '[model]\nname = "e2rank-4b"\n[model.fusion]\nlistwise = 1.0\n[llm]\nscore_mode = "rank"\n',
        "utf-8",
    )
    for line in environment(CHOSEN).splitlines():
        ((name, _, value),) = [word.partition("=") for word in shlex.split(line)]
        monkeypatch.setenv(name, value)
    as_chosen(str(config))


def test_a_name_with_a_space_is_quoted_for_a_shell() -> None:
    assert environment({"model": {"name": "our model"}}) == "RANKSIDE_MODEL__NAME='our model'"


def test_the_form_is_that_of_the_name(tmp_path: Path) -> None:
    assert "RANKSIDE_PIPELINES__WINDOW=50" in text_for(tmp_path / "tuned.env", CHOSEN, "")
    with pytest.raises(SettingsError, match=r"end in \.toml"):
        text_for(tmp_path / "tuned.yaml", CHOSEN, "")


def test_only_a_file_of_its_own_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rankside.toml"
    check_ours(path)
    path.write_text(text_for(path, CHOSEN, ""), "utf-8")
    check_ours(path)
    path.write_text('[engine]\nurl = "http://127.0.0.1:9200"\n', "utf-8")
    with pytest.raises(SettingsError, match="was not written by"):
        check_ours(path)
