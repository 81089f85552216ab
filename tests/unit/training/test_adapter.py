"""Training for real, on a small model: it learns, goes on, and what it writes can be served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from evaluation.collections import Collection, load_collection
from evaluation.memory import first_stage_hits
from evaluation.runs import read_run
from plugin.models.adapter import Weights, read_manifest
from plugin.models.load import load_encoder
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.prompts import EncoderInput, InputKind, document_input
from tests.tiny import write_collection, write_first_stage
from training.adapter import CHECKPOINTS, TrainingPlan
from training.examples import Depth
from training.session import AdapterOptions, AdapterSession
from training.sources import Source

MINILM = ModelOptions(name="all-minilm-l6-v2", device="cpu")
PLAN = TrainingPlan(epochs=8, batch=3, learning_rate=1e-3, rank=4)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    collection: Collection = load_collection(write_collection(tmp_path / "tiny"))
    run = read_run(write_first_stage(tmp_path / "first.trec"))
    return Source(collection, first_stage_hits(collection, run, 10))


@pytest.fixture
def options(tmp_path: Path) -> AdapterOptions:
    return AdapterOptions(
        model=MINILM, plan=PLAN, depth=Depth(2, 6, seed=1), cache=tmp_path / "cache"
    )


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of several threads differ in their last bits, and a training adds them up."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(folder: Path, kind: Weights = Weights.LORA) -> dict[str, torch.Tensor]:
    return load_file(folder / kind.file)


def test_it_learns_and_the_outcome_is_served(
    options: AdapterOptions, source: Source, tmp_path: Path
) -> None:
    session = AdapterSession(options, [source], dev=source)
    report = session.train(tmp_path / "adapter")

    assert report.steps == session.outline().steps == 8
    assert report.dev_loss_before is not None
    assert report.dev_loss_after is not None
    assert report.dev_loss_after < report.dev_loss_before
    assert not (tmp_path / "adapter" / CHECKPOINTS).exists()

    served = load_encoder(MINILM.model_copy(update={"listwise_adapter": tmp_path / "adapter"}))
    plain = load_encoder(MINILM)
    document = document_input(plain.profile, "An oven for loaves.")
    prompt = EncoderInput(InputKind.LISTWISE, "a loaf\nAn oven for loaves.")
    assert np.abs(served.encode([document]).vectors - plain.encode([document]).vectors).max() < 1e-6
    assert np.abs(served.encode([prompt]).vectors - plain.encode([prompt]).vectors).max() > 1e-3
    assert served.profile.prompt_hits == 2
    assert read_manifest(tmp_path / "adapter").made["examples"] == 3


class _Cut(TrainerCallback):
    """Ends the process's part of a training, as a kill would, after a checkpoint."""

    def on_save(self, args: object, state: object, control: object, **_: object) -> None:  # noqa: ARG002
        raise KeyboardInterrupt


def test_a_training_that_was_cut_off_ends_where_it_would_have(
    options: AdapterOptions, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(options, plan=replace(PLAN, save_steps=4))
    AdapterSession(options, [source]).train(tmp_path / "whole")

    with monkeypatch.context() as patch:
        patch.setattr("training.adapter._Progress.on_save", _Cut.on_save, raising=False)
        with pytest.raises(KeyboardInterrupt):
            AdapterSession(options, [source]).train(tmp_path / "cut")
    assert list((tmp_path / "cut" / CHECKPOINTS).iterdir())
    report = AdapterSession(options, [source]).train(tmp_path / "cut", resume=True)

    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert report.steps == 8
    assert whole.keys() == cut.keys()
    assert all(torch.allclose(whole[name], cut[name], atol=1e-5) for name in whole)


def test_the_seed_gives_the_same_weights_again(
    options: AdapterOptions, source: Source, tmp_path: Path
) -> None:
    def trained(folder: str, seed: int) -> dict[str, torch.Tensor]:
        plan = replace(PLAN, epochs=2, seed=seed)
        AdapterSession(replace(options, plan=plan), [source]).train(tmp_path / folder)
        return weights(tmp_path / folder)

    first, again, other = trained("a", 1), trained("b", 1), trained("c", 2)

    assert all(torch.allclose(first[name], again[name], atol=1e-6) for name in first)
    assert not all(torch.allclose(first[name], other[name], atol=1e-6) for name in first)


def test_all_weights_can_be_trained(
    options: AdapterOptions, source: Source, tmp_path: Path
) -> None:
    plan = replace(PLAN, epochs=2, rank=None, learning_rate=1e-4, checkpointing=True)
    AdapterSession(replace(options, plan=plan), [source]).train(tmp_path / "full")

    served = load_encoder(MINILM.model_copy(update={"listwise_adapter": tmp_path / "full"}))
    prompt = EncoderInput(InputKind.LISTWISE, "a loaf\nAn oven for loaves.")
    moved = served.encode([prompt]).vectors - load_encoder(MINILM).encode([prompt]).vectors
    assert read_manifest(tmp_path / "full").weights is Weights.FULL
    assert np.abs(moved).max() > 1e-4


def test_what_it_would_take_is_told_without_encoding(
    options: AdapterOptions, source: Source
) -> None:
    outline = AdapterSession(replace(options, answers=False), [source]).outline()

    assert (outline.examples, outline.left_out, outline.steps) == (3, 0, 8)
    assert outline.to_encode == outline.documents > 0
    assert outline.fingerprint == load_encoder(MINILM).profile.fingerprint


def test_too_few_examples_for_a_batch_are_said(
    options: AdapterOptions, source: Source, tmp_path: Path
) -> None:
    options = replace(options, plan=replace(PLAN, batch=4))

    with pytest.raises(SettingsError, match="3 examples fill no batch of 4"):
        AdapterSession(options, [source]).train(tmp_path / "adapter")


def test_an_adapter_is_not_trained_on_an_adapter(options: AdapterOptions, tmp_path: Path) -> None:
    model = MINILM.model_copy(update={"listwise_adapter": tmp_path})

    with pytest.raises(SettingsError, match=r"unset model\.url"):
        AdapterSession(replace(options, model=model), [])


def test_nothing_to_train_on_is_said(options: AdapterOptions) -> None:
    with pytest.raises(SettingsError, match="nothing to train on"):
        AdapterSession(options, [])
