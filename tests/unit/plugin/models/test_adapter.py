"""Listwise adapters: prompts go through them, documents and queries never do."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from pydantic import AnyHttpUrl, ValidationError
from sentence_transformers import SentenceTransformer

from evaluation.vectors import CachedEncoder
from plugin.models.adapter import MANIFEST, AdapterManifest, Weights, read_manifest
from plugin.models.encoder import Encoder
from plugin.models.hardware import Placement
from plugin.models.load import load_encoder, load_modules, profile_for
from plugin.models.options import ModelOptions, ProfileOptions
from plugin.models.tower import network, old_name_allowed
from plugin.ranking.errors import ModelUnavailable, SettingsError
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import ListwiseTemplate, ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput, InputKind

MINE = ProfileOptions(
    dimensions=32, max_tokens=128, pooling=Pooling.LAST_TOKEN, end_token="<|endoftext|>"
)
LAYOUT = ListwiseTemplate(prompt="{documents}\n{query}", passage="{text}")
PROMPT = EncoderInput(InputKind.LISTWISE, "Gravity is a force\nwhat is gravity")
OTHERS = [
    EncoderInput(InputKind.DOCUMENT, "Gravity is a force"),
    EncoderInput(InputKind.QUERY, "what is gravity"),
]


@pytest.fixture
def options(qwen_folder: Path) -> ModelOptions:
    return ModelOptions(name="mine", path=qwen_folder, profile=MINE, device="cpu")


def modules(options: ModelOptions) -> SentenceTransformer:
    return load_modules(options, profile_for(options), Placement("cpu", "float32", ""))


def described(profile: ModelProfile, weights: Weights, folder: Path) -> Path:
    """The folder, with a manifest of the weights in it."""
    trained = replace(profile, listwise=LAYOUT, prompt_hits=4, fusion=FusionWeights(1.0, query=2.0))
    AdapterManifest.of(trained, weights, folder, {"seed": 1}).write(folder)
    return folder


@pytest.fixture
def lora(options: ModelOptions, tmp_path: Path) -> Path:
    """LoRA matrices, none of them zero, as they would be after a training."""
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    with old_name_allowed():
        made = get_peft_model(network(modules(options)), config)
    made.save_pretrained(str(tmp_path / "lora"))
    return described(profile_for(options), Weights.LORA, tmp_path / "lora")


@pytest.fixture
def full(options: ModelOptions, tmp_path: Path) -> Path:
    """The model's weights, each of them changed a little."""
    found = network(modules(options))
    torch.manual_seed(2)
    with torch.no_grad():
        for weight in found.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.05)
    found.save_pretrained(str(tmp_path / "full"))
    return described(profile_for(options), Weights.FULL, tmp_path / "full")


def adapted(options: ModelOptions, folder: Path) -> ModelOptions:
    return options.model_copy(update={"listwise_adapter": folder})


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_only_prompts_go_through_the_adapter(
    options: ModelOptions, kind: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(kind)
    inputs = [OTHERS[0], PROMPT, OTHERS[1]]

    plain = load_encoder(options).encode(inputs).vectors
    changed = load_encoder(adapted(options, folder)).encode(inputs).vectors

    assert np.abs(changed[[0, 2]] - plain[[0, 2]]).max() <= 1e-6
    assert np.abs(changed[1] - plain[1]).max() > 0.01


def test_a_merged_adapter_gives_what_peft_gives(options: ModelOptions, lora: Path) -> None:
    from peft import PeftModel

    encoder = load_encoder(adapted(options, lora))
    beside = modules(options)
    with old_name_allowed():
        PeftModel.from_pretrained(network(beside), str(lora))
    ids = encoder.tokenizer.tokenize([PROMPT.text], 128, [None])[0].ids  # type: ignore[attr-defined]

    with torch.inference_mode():
        features = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids))}
        expected = beside.eval()(features)["sentence_embedding"][0].numpy()

    expected /= np.linalg.norm(expected)
    assert np.abs(encoder.encode([PROMPT]).vectors[0] - expected).max() <= 1e-5


def test_the_profile_takes_prompt_and_fusion_and_keeps_the_fingerprint(
    options: ModelOptions, lora: Path
) -> None:
    plain, profile = profile_for(options), profile_for(adapted(options, lora))

    assert (profile.listwise, profile.prompt_hits) == (LAYOUT, 4)
    assert profile.fusion == FusionWeights(1.0, query=2.0)
    assert profile.fingerprint == plain.fingerprint
    assert (plain.adapter, profile.adapter) == ("", read_manifest(lora).sha256[:16])


def test_remembered_prompts_are_of_one_adapter(
    options: ModelOptions, lora: Path, tmp_path: Path
) -> None:
    def remembered(encoder: Encoder) -> CachedEncoder:
        return CachedEncoder(encoder, tmp_path / "cache")

    before = remembered(load_encoder(options))
    before.warm(before.missing([*OTHERS, PROMPT]))

    after = remembered(load_encoder(adapted(options, lora)))

    assert after.missing([*OTHERS, PROMPT]) == [PROMPT]


def test_an_adapter_of_other_vectors_is_refused(options: ModelOptions, lora: Path) -> None:
    other = adapted(options, lora).model_copy(update={"revision": "abc"})

    with pytest.raises(SettingsError, match="trained against vectors of mine"):
        load_encoder(other)


def test_changed_weights_are_refused(options: ModelOptions, lora: Path, full: Path) -> None:
    shutil.copy(full / Weights.FULL.file, lora / Weights.LORA.file)

    with pytest.raises(ModelUnavailable, match=r"not the file that listwise\.json names"):
        load_encoder(adapted(options, lora))


def test_weights_of_another_shape_are_refused(options: ModelOptions, full: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = full / Weights.FULL.file
    save_file({name: weight[:1] for name, weight in load_file(path).items()}, path)
    described(profile_for(options), Weights.FULL, full)

    with pytest.raises(ModelUnavailable, match="does not fit mine"):
        load_encoder(adapted(options, full))


def test_a_folder_without_a_manifest_names_the_command(
    options: ModelOptions, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="rankside train adapter"):
        profile_for(adapted(options, tmp_path))


def test_a_wrong_manifest_names_the_key(options: ModelOptions, lora: Path) -> None:
    values = json.loads((lora / MANIFEST).read_text())
    (lora / MANIFEST).write_text(json.dumps({**values, "prompt_hits": 0}))

    with pytest.raises(SettingsError, match=r"listwise\.json: prompt_hits"):
        profile_for(adapted(options, lora))


def test_a_remote_model_takes_no_adapter(lora: Path) -> None:
    with pytest.raises(ValidationError, match="leave out url"):
        ModelOptions(name="mine", listwise_adapter=lora, url=AnyHttpUrl("http://127.0.0.1:9/v1"))


def test_an_adapter_is_of_a_model_that_is_named(lora: Path) -> None:
    with pytest.raises(ValidationError, match="need a name"):
        ModelOptions(listwise_adapter=lora)
