"""Train a listwise adapter: the prompt side of a model, against document vectors as they are.

On transformers' own trainer: resumable, on several GPUs by accelerate (start the command by
`torchrun` or `accelerate launch`), bfloat16 where the GPU has it.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from sentence_transformers import SentenceTransformer
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from plugin.models.tower import network, old_name_allowed
from training.objective import Objective
from training.tower import Collator, PromptData, PromptTower

Advance = Callable[[int], None]

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train. ``rank`` is LoRA's; None trains all weights.

    ``batch`` prompts run at once on each device, ``accumulate`` batches make a step; documents of
    one batch are each other's negatives, those of accumulated ones are not. With ``bf16`` the
    passes run in bfloat16, and the weights stay float32.
    """

    epochs: float = 1.0
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 2e-4
    warmup: float = 0.03
    rank: int | None = 16
    seed: int = 1
    save_steps: int = 100
    checkpointing: bool = False
    bf16: bool = False

    def steps(self, examples: int) -> int:
        """Steps on one device; examples that fill no batch are left out of an epoch."""
        batches = examples // self.batch
        return math.ceil(self.epochs * max(1, math.ceil(batches / self.accumulate)))


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it: steps, their mean loss, and dev loss before and after.

    ``dev_before`` is None of a training that went on. ``writes`` is true of the one process of
    several that writes the outcome.
    """

    steps: int
    train_loss: float
    dev_before: float | None
    dev_after: float | None
    writes: bool


class _Progress(TrainerCallback):
    """Tells of every step."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the trainer's signature
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        self._advance(1)


def with_lora(model: SentenceTransformer, rank: int) -> PeftModel:
    """Put trainable low-rank matrices beside every linear layer of ``model``; freeze the rest."""
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", bias="none")
    with old_name_allowed():
        adapted = get_peft_model(network(model), config)
    if not isinstance(adapted, PeftModel):
        raise TypeError(f"peft made a {type(adapted).__name__} of LoRA")
    return adapted


def train(
    model: SentenceTransformer,
    data: PromptData,
    dev: PromptData | None,
    plan: TrainingPlan,
    folder: Path,
    *,
    location: str = "",
    resume: bool = False,
    advance: Advance = lambda _: None,
) -> Trained:
    """Train ``model`` in place and write its adapter to ``folder``.

    Checkpoints lie below ``folder`` until it is done; ``resume`` goes on from the last of them.
    ``location`` is what the adapter says it is for.
    """
    torch.manual_seed(plan.seed)  # LoRA's matrices start at random
    lora = None if plan.rank is None else with_lora(model, plan.rank)
    trainer = Trainer(
        model=PromptTower(model, Objective()),
        args=_arguments(plan, folder / CHECKPOINTS, model.device),
        train_dataset=data,
        eval_dataset=dev,
        data_collator=Collator(data),
        callbacks=[_Progress(advance)],
    )
    trainer.remove_callback(PrinterCallback)
    last = _last_checkpoint(folder / CHECKPOINTS) if resume else None
    before = _dev_loss(trainer, dev) if last is None else None
    outcome = trainer.train(resume_from_checkpoint=last)
    after = _dev_loss(trainer, dev)
    writes = trainer.is_world_process_zero()
    if writes:
        _save(lora or network(model), location, folder)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return Trained(outcome.global_step, float(outcome.training_loss), before, after, writes)


def _arguments(plan: TrainingPlan, folder: Path, device: torch.device) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=plan.epochs,
        per_device_train_batch_size=plan.batch,
        per_device_eval_batch_size=plan.batch,
        gradient_accumulation_steps=plan.accumulate,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=plan.warmup,
        seed=plan.seed,
        bf16=plan.bf16,
        use_cpu=device.type == "cpu",
        activation_checkpointing=plan.checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if plan.checkpointing else None,
        dataloader_drop_last=True,  # a lone last prompt has no others' documents
        dataloader_pin_memory=device.type == "cuda",
        remove_unused_columns=False,
        ddp_find_unused_parameters=True,  # BERT has a head that mean pooling leaves aside
        label_names=["grades"],
        prediction_loss_only=True,
        save_strategy="steps",
        save_steps=plan.save_steps,
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )


def _last_checkpoint(folder: Path) -> str | None:
    if not folder.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    return found


def _dev_loss(trainer: Trainer, dev: PromptData | None) -> float | None:
    return None if dev is None else float(trainer.evaluate()["eval_loss"])


def _save(model: PeftModel | PreTrainedModel, location: str, folder: Path) -> None:
    if isinstance(model, PeftModel):
        for config in model.peft_config.values():
            config.base_model_name_or_path = location  # and not where this machine keeps it
        # None were trained; left to find that out, peft would ask the hub.
        model.save_pretrained(str(folder), save_embedding_layers=False)
    else:
        model.save_pretrained(str(folder))
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # written for its owner alone, and a sidecar is somebody else
