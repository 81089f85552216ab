"""A listwise adapter: weights that only listwise prompts go through, and what it was made for.

A folder with ``listwise.json`` (read here, without torch) and the weights: LoRA matrices as peft
saves them, or all weights of the model as transformers saves them. Documents and plain queries stay
the base model's, so an index keeps its vectors and its fingerprint.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from plugin.models.base_options import Options
from plugin.models.options import FusionOptions
from plugin.ranking.errors import ModelUnavailable, SettingsError
from plugin.ranking.profile import ListwiseTemplate, ModelProfile

MANIFEST = "listwise.json"
_DIGITS = 16


class Weights(StrEnum):
    """What an adapter's weights are."""

    LORA = "lora"
    FULL = "full"

    @property
    def file(self) -> str:
        """The name of their file."""
        return "adapter_model.safetensors" if self is Weights.LORA else "model.safetensors"


class TemplateOptions(Options):
    """A `ListwiseTemplate` as a file has it."""

    prompt: str
    passage: str
    separator: str
    passage_suffix: str
    chat: bool
    passage_words: int = Field(ge=1)


class AdapterManifest(Options):
    """What an adapter was trained for; ``fingerprint`` is of the document vectors it goes with."""

    model: str
    fingerprint: str
    weights: Weights
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    listwise: TemplateOptions
    listwise_instruction: str = ""
    prompt_hits: int = Field(ge=1, le=1000)
    fusion: FusionOptions
    made: dict[str, str | int | float | None] = Field(default_factory=dict)

    @classmethod
    def of(
        cls,
        profile: ModelProfile,
        weights: Weights,
        folder: Path,
        made: dict[str, str | int | float | None],
    ) -> Self:
        """The manifest of the weights in ``folder``, trained with the prompts of ``profile``."""
        return cls(
            model=profile.name,
            fingerprint=profile.fingerprint,
            weights=weights,
            sha256=_digest(folder / weights.file),
            listwise=TemplateOptions(**asdict(profile.listwise)),
            listwise_instruction=profile.listwise_instruction,
            prompt_hits=profile.prompt_hits,
            fusion=FusionOptions(**profile.fusion.as_dict()),
            made=made,
        )

    def write(self, folder: Path) -> None:
        """Put it beside the weights."""
        text = self.model_dump_json(indent=2) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    def applied(self, profile: ModelProfile) -> ModelProfile:
        """``profile`` with the adapter's prompt, fusion and name."""
        return replace(
            profile,
            listwise=ListwiseTemplate(**self.listwise.model_dump()),
            listwise_instruction=self.listwise_instruction,
            prompt_hits=self.prompt_hits,
            fusion=self.fusion.to_weights(),
            adapter=self.sha256[:_DIGITS],
        )

    def check(self, profile: ModelProfile, folder: Path) -> None:
        """See that it goes with the model's vectors, and that its weights are those it names.

        Raises:
            SettingsError: it was trained against the vectors of another model or revision.
            ModelUnavailable: the weights are missing or changed.
        """
        if (self.model, self.fingerprint) != (profile.name, profile.fingerprint):
            raise SettingsError(
                f"the adapter in {folder} was trained against vectors of {self.model} "
                f"({self.fingerprint}), and this is {profile.name} ({profile.fingerprint}); use "
                "that model and revision, or train an adapter for this one"
            )
        if _digest(folder / self.weights.file) != self.sha256:
            raise ModelUnavailable(
                f"{folder / self.weights.file} is not the file that {MANIFEST} names; copy the "
                "adapter's folder again"
            )


def read_manifest(folder: Path) -> AdapterManifest:
    """The manifest in ``folder``.

    Raises:
        SettingsError: it cannot be read, or a value is wrong.
    """
    path = folder / MANIFEST
    try:
        return AdapterManifest.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"model.listwise_adapter: {path} cannot be read ({error.strerror}); give a folder that "
            "`rankside train adapter` wrote"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {key}: {first['msg']}; train the adapter anew") from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(
            f"the adapter's weights {path} cannot be read; copy its folder again"
        ) from error
