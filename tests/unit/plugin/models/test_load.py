"""From settings to an encoder."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import AnyHttpUrl

from plugin.models import registry
from plugin.models.load import follows_hub, load_encoder, profile_for
from plugin.models.options import FusionOptions, ModelOptions, ProfileOptions
from plugin.models.remote import RemoteEncoder
from plugin.models.sentence_transformer import SentenceTransformerEncoder
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.errors import ModelUnavailable, SettingsError
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput, InputKind

URL = AnyHttpUrl("http://127.0.0.1:9/v1")
MINE = ProfileOptions(
    dimensions=32,
    max_tokens=128,
    pooling=Pooling.LAST_TOKEN,
    end_token="<|endoftext|>",
    listwise="evaluated",
    listwise_instruction="Order these",
)


def test_a_name_of_the_registry() -> None:
    assert profile_for(ModelOptions(name="e2rank-4b")).dimensions == 2560


def test_weights_of_the_settings_stand_before_the_models_own() -> None:
    own = registry.get("all-minilm-l6-v2")
    fusion = FusionOptions(query=0.5, rocchio=0.25, first_stage=0.04)
    options = ModelOptions(name=own.name, fusion=fusion, prompt_hits=7, rocchio_hits=5)

    profile = profile_for(options)

    assert profile.fusion == FusionWeights(0.0, 0.5, 0.25, 0.04)
    assert (profile.prompt_hits, profile.rocchio_hits) == (7, 5)
    assert profile.fingerprint == own.fingerprint  # document vectors are what they were
    assert profile_for(ModelOptions(name=own.name)) == own


def test_weights_of_the_settings_stand_before_a_described_models_own() -> None:
    options = ModelOptions(
        name="mine",
        path=Path("mine"),
        profile=MINE,
        fusion=FusionOptions(listwise=1),
        prompt_hits=3,
    )

    profile = profile_for(options)

    assert (profile.fusion, profile.prompt_hits) == (FusionWeights(1.0), 3)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="not in the registry"):
        profile_for(ModelOptions(name="e2rank-1b"))


@pytest.mark.parametrize(("devices", "name"), [(0, "all-minilm-l6-v2"), (1, "e2rank-0.6b")])
def test_the_default_follows_cuda(monkeypatch: pytest.MonkeyPatch, devices: int, name: str) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: devices > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: devices)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: True)

    assert profile_for(ModelOptions()).name == name


def test_without_torch_the_default_is_the_embedded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "plugin.models.hardware", raising=False)

    assert profile_for(ModelOptions()).name == "all-minilm-l6-v2"


def test_without_torch_a_model_in_process_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "plugin.models.hardware", raising=False)

    with pytest.raises(SettingsError, match=r"rankside\[models\]"):
        load_encoder(ModelOptions(name="all-minilm-l6-v2"))


def test_revision_and_limit_of_the_settings_are_taken() -> None:
    plain = profile_for(ModelOptions(name="e2rank-0.6b"))

    pinned = profile_for(ModelOptions(name="e2rank-0.6b", revision="abc123", max_tokens=8192))

    assert (pinned.revision, pinned.max_tokens) == ("abc123", 8192)
    assert pinned.fingerprint != plain.fingerprint
    assert profile_for(ModelOptions(name="all-minilm-l6-v2", max_tokens=8192)).max_tokens == 256


def test_a_revision_that_nothing_would_follow_is_refused() -> None:
    with pytest.raises(SettingsError, match="comes from a package"):
        profile_for(ModelOptions(name="all-minilm-l6-v2", revision="abc123"))


def test_a_model_of_ones_own_is_loaded_by_path_and_description(
    qwen_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="plugin.models.load")
    options = ModelOptions(name="mine", path=qwen_folder, profile=MINE, device="cpu")

    encoder = load_encoder(options)
    answer = encoder.encode([EncoderInput(InputKind.DOCUMENT, "Gravity " * 200)])

    assert isinstance(encoder, SentenceTransformerEncoder)
    assert encoder.profile.name == "mine"
    assert (answer.vectors.shape, answer.tokens) == ((1, 32), (128,))
    assert caplog.messages == ["loaded mine: float32 on cpu: the weights are float32"]


HUB_MODEL = ModelOptions(name="e2rank-0.6b", device="cpu", offline=True)
OLD, NEW = "0" * 39 + "1", "0" * 39 + "2"


@pytest.fixture
def hub_has(
    tmp_path: Path, qwen_folder: Path, qwen_profile: ModelProfile, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Let the hub's cache have a commit of a small model as its newest."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(registry, "PROFILES", (qwen_profile,))
    cached = tmp_path / f"models--{qwen_profile.location.replace('/', '--')}"

    def has(commit: str) -> None:
        shutil.copytree(qwen_folder, cached / "snapshots" / commit)
        (cached / "refs").mkdir(exist_ok=True)
        (cached / "refs" / "main").write_text(commit)

    return has


def test_a_model_that_nothing_pins_is_known_by_the_commit_it_was_loaded_from(
    hub_has: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    hub_has(OLD)
    first = load_encoder(HUB_MODEL).profile
    assert first.revision == OLD
    assert f"set model.revision to {OLD}" in caplog.text

    hub_has(NEW)
    assert load_encoder(HUB_MODEL).profile.fingerprint != first.fingerprint


def test_a_pinned_model_stays_with_its_commit(
    hub_has: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    hub_has(OLD)
    hub_has(NEW)
    encoder = load_encoder(HUB_MODEL.model_copy(update={"revision": OLD}))
    assert encoder.profile.revision == OLD
    assert "model.revision" not in caplog.text


@pytest.mark.usefixtures("hub_has")
def test_a_hub_out_of_reach_is_said_with_the_remedy() -> None:
    with pytest.raises(ModelUnavailable, match=r"set model\.path"):
        load_encoder(HUB_MODEL)


def test_only_what_comes_from_the_hub_follows_it(qwen_folder: Path) -> None:
    assert follows_hub(ModelOptions(name="e2rank-0.6b"))
    assert not follows_hub(ModelOptions(name="e2rank-0.6b", revision=OLD))
    assert not follows_hub(ModelOptions(name="e2rank-0.6b", path=qwen_folder))
    assert not follows_hub(ModelOptions(name="e2rank-0.6b", url=URL))
    assert not follows_hub(ModelOptions(name="all-minilm-l6-v2"))


def test_a_url_makes_it_remote() -> None:
    options = ModelOptions(name="all-minilm-l6-v2", url=URL)

    encoder = load_encoder(options)

    assert isinstance(encoder, RemoteEncoder)
    assert encoder.profile.name == "all-minilm-l6-v2"


def test_a_remote_chat_model_needs_a_tokenizer() -> None:
    with pytest.raises(SettingsError, match=r"model\.path"):
        load_encoder(ModelOptions(name="e2rank-0.6b", url=URL))


def test_a_remote_chat_model_takes_its_tokenizer_from_a_folder(qwen_folder: Path) -> None:
    options = ModelOptions(name="e2rank-0.6b", url=URL, path=qwen_folder)

    encoder = load_encoder(options)

    assert isinstance(encoder.tokenizer, HubTokenizer)
    assert encoder.tokenizer.user_turn("x").startswith("<|im_start|>user\nx<|im_end|>")
