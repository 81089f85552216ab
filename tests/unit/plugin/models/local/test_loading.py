from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from transformers import PreTrainedModel

from plugin.models.chat.request import llm_tokenizer
from plugin.models.llm_options import LLMOptions
from plugin.models.local.loading import load_causal
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.errors import ModelUnavailable, SettingsError
from tests.unit.plugin.models.conftest import tokenizer

SYSTEM, USER = {"role": "system", "content": "Rank."}, {"role": "user", "content": "Best?"}


def load(path: Path, **settings: Any) -> Any:
    options = LLMOptions.model_validate({"path": path, "device": "cpu", **settings})
    return load_causal(options, path)


@pytest.fixture
def copy(chat_folder: Path, tmp_path: Path) -> Path:
    """The tiny model's folder, to be spoilt."""
    return shutil.copytree(chat_folder, tmp_path / "copy")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_number_format_is_as_set(chat_folder: Path, dtype: str) -> None:
    model, _ = load(chat_folder, dtype=dtype)

    assert model.dtype is getattr(torch, dtype)


def test_float32_weights_stay_so_by_default(chat_folder: Path) -> None:
    model, _ = load(chat_folder)

    assert model.dtype is torch.float32


def test_a_device_that_is_not_there_is_told_by_its_key(chat_folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"llm\.device is cuda:99"):
        load(chat_folder, device="cuda:99")


def test_a_path_that_is_not_there_is_never_looked_for_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"neither a folder nor a \.gguf file"):
        load(tmp_path / "absent")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("spoilt", [None, b"", b"\x00\xff not it"])
def test_files_that_lack_or_are_spoilt_are_told(
    copy: Path, name: str, spoilt: bytes | None
) -> None:
    (copy / name).unlink()
    if spoilt is not None:
        (copy / name).write_bytes(spoilt)

    with pytest.raises(ModelUnavailable):
        load(copy)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no such thing" * 100])
def test_a_spoilt_gguf_file_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)

    with pytest.raises(ModelUnavailable, match=r"check llm\.path"):
        load(file)


def test_a_model_that_is_not_for_chats_is_refused(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()

    with pytest.raises(ModelUnavailable, match="take an instruct model"):
        load(copy)


def test_prompts_are_counted_by_the_models_own_tokenizer(chat_folder: Path) -> None:
    found = llm_tokenizer(LLMOptions(path=chat_folder))

    _, loaded = load(chat_folder)
    assert found is not None
    assert found.count("explain gravity") == loaded.count("explain gravity")


def test_memory_that_does_not_suffice_is_told(
    chat_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(PreTrainedModel, "to", full)

    with pytest.raises(ModelUnavailable, match="does not fit into the device's memory"):
        load(chat_folder)


def test_a_template_without_a_system_turn_gets_one_turn() -> None:
    found = tokenizer()
    found.chat_template = (
        "{% for message in messages %}{% if message.role == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}"
        "({{ message.content }}){% endfor %}"
    )
    chats = HubTokenizer(found)

    assert chats.text(chats.chat([SYSTEM, USER])) == "(Rank.\n\nBest?)"


def test_a_template_that_takes_nothing_is_told() -> None:
    found = tokenizer()
    found.chat_template = "{{ raise_exception('no') }}"

    with pytest.raises(ModelUnavailable, match="takes no user turn"):
        HubTokenizer(found).chat([SYSTEM, USER])


@pytest.mark.parametrize(
    "other",
    [
        {"url": "http://127.0.0.1:9/v1"},
        {"hedge": {"url": "http://127.0.0.1:9/v1"}},
        {"tokenizer": "somewhere"},
    ],
)
def test_a_path_excludes_a_server(tmp_path: Path, other: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="with a path there is no server"):
        LLMOptions.model_validate({"path": tmp_path, **other})
