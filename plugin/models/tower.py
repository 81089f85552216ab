"""Loading the tower of a listwise adapter: a second copy of the model, with the adapter in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedModel

from plugin.models.adapter import AdapterManifest, Weights
from plugin.models.files import FAILURES, brief
from plugin.ranking.errors import ModelUnavailable, SettingsError


def with_adapter(
    model: SentenceTransformer, folder: Path, manifest: AdapterManifest
) -> SentenceTransformer:
    """``model``, which becomes the tower: its weights are replaced, or LoRA's merged into them.

    Merged, a prompt costs what it costs without an adapter, and no thread ever switches one on.

    Raises:
        SettingsError: peft is not installed.
        ModelUnavailable: the weights do not fit the model.
    """
    try:
        if manifest.weights is Weights.FULL:
            network(model).load_state_dict(load_file(folder / manifest.weights.file))
        else:
            _merge(model, folder)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[training], or unset "
            "model.listwise_adapter"
        ) from error
    except FAILURES as error:
        raise ModelUnavailable(
            f"the adapter in {folder} does not fit {manifest.model} ({brief(error)}); train it anew"
        ) from error
    return model


def network(model: SentenceTransformer) -> PreTrainedModel:
    """The transformer inside of ``model``, which its pooling follows.

    Raises:
        ModelUnavailable: it has none.
    """
    found = model.transformers_model
    if found is None:
        raise ModelUnavailable("the model is no transformer; use one that is, without an adapter")
    return found


@contextmanager
def old_name_allowed() -> Iterator[None]:
    """Let peft 0.21 ask for a property by the name that transformers 5.23 has given up."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def _merge(model: SentenceTransformer, folder: Path) -> None:
    from peft import PeftModel

    with old_name_allowed():
        # In place: the layers of the model itself get the sums.
        PeftModel.from_pretrained(network(model), str(folder)).merge_and_unload()
