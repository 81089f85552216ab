"""One settings model: its sources, and what a wrong value says."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.ranking.errors import SettingsError
from rankside.settings import load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("RANKSIDE_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> str:
    file = folder / "rankside.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_defaults_need_no_file() -> None:
    assert load_settings().model.name == "auto"


def test_a_file_sets_values(tmp_path: Path) -> None:
    config = write(tmp_path, '[model]\nname = "e2rank-4b"\n[llm]\nwindow = 7\n')

    settings = load_settings(config)

    assert (settings.model.name, settings.llm.window) == ("e2rank-4b", 7)


def test_the_file_can_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_CONFIG", write(tmp_path, "[llm]\nwindow = 7\n"))

    assert load_settings().llm.window == 7


def test_the_environment_is_stronger_than_the_file_key_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path, '[llm]\nwindow = 7\nmodel = "from-file"\n')
    monkeypatch.setenv("RANKSIDE_LLM__WINDOW", "9")

    settings = load_settings(config)

    assert (settings.llm.window, settings.llm.model) == (9, "from-file")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[llm]\nwindow = 0\n", r"setting llm\.window = 0 is wrong"),
        ("[llm]\nwindwo = 5\n", r"setting llm\.windwo does not exist; docs/reference/settings\.md"),
        ("[lml]\nwindow = 5\n", r"setting lml does not exist"),
        (
            "[engine]\nurl = 'localhost:9200'\n",
            r"engine\.url = 'localhost:9200' is wrong: write an",
        ),
        ("[llm\n", "is not TOML"),
    ],
)
def test_a_wrong_file_stops_the_start_naming_key_and_value(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_settings(write(tmp_path, text))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        load_settings("nowhere.toml")


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    config = write(tmp_path, "[llm]\napi_key = 12345\n")

    with pytest.raises(SettingsError) as refusal:
        load_settings(config)

    assert "12345" not in str(refusal.value)
    assert "llm.api_key = (hidden)" in str(refusal.value)


@pytest.mark.parametrize(
    "table",
    [
        '[engine]\napi_key = "s3cret"\nusername = "u"\npassword = "s3cret"\n',
        '[engine]\nusername = "u"\napi_key = ["s3cret"]\n',
        '[model]\nurl = "http://127.0.0.1:1/v1"\napi_key = "s3cret"\n',
        '[engine]\nurl = "https://user:s3cret@127.0.0.1:9200"\n',
    ],
)
def test_a_table_that_contradicts_itself_shows_no_secret(tmp_path: Path, table: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(write(tmp_path, table))

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RANKSIDE_PIPELINES__TEXT_FIELDS", "title,text", "write a list or a table as JSON"),
        ("RANKSIDE_MODEL", "x", "write a list or a table as JSON"),
        ("RANKSIDE_MODLE__DEVICE", "cpu", "no settings RANKSIDE_MODLE__DEVICE belongs to"),
        ("RANKSIDE_MODEL__DEVCE", "cpu", r"setting model\.devce does not exist"),
    ],
)
def test_a_wrong_variable_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence):
        load_settings()


def test_variables_that_a_cluster_sets_for_a_service_of_our_name_are_not_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANKSIDE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("RANKSIDE_PORT_8080_TCP", "tcp://10.0.0.1:8080")

    assert load_settings() == load_settings()


def test_secrets_do_not_show_in_the_settings_themselves(
    tmp_path: Path,
) -> None:
    settings = load_settings(write(tmp_path, '[llm]\napi_key = "s3cret"\n'))

    assert "s3cret" not in repr(settings)
