"""Loading a causal language model from a folder or a GGUF file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedModel,
)

from plugin.models.files import FAILURES, brief, no_progress_bars
from plugin.models.hardware import Placement, place
from plugin.models.local.options import LocalOptions
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.errors import ModelUnavailable

_log = logging.getLogger(__name__)
_GGUF = ".gguf"


def load_causal(options: LocalOptions, path: Path) -> tuple[PreTrainedModel, HubTokenizer]:
    """The model at ``path``, on its device, and its tokenizer. Code in a folder is never run.

    The weights of a GGUF file are widened to ``dtype``: they take the memory of that format, not
    that of the file. To compute with them as they are takes kernels that come from the hub.

    Raises:
        SettingsError: the device is not there.
        ModelUnavailable: the files are missing or unreadable, the model is not for chats, or does
            not fit into the device's memory.
    """
    origin = _origin(path)
    with _translated(path):
        # A GGUF file is read anew for whatever is not at hand, and that takes seconds.
        config = AutoConfig.from_pretrained(**origin)
        tokenizer = HubTokenizer(AutoTokenizer.from_pretrained(**origin, config=config))
        placement = _place(options, config)
        quantized = {"quantization_config": GgufConfig(dequantize=True)}
        widened: dict[str, Any] = quantized if path.is_file() else {}
        model: Any = AutoModelForCausalLM.from_pretrained(
            **origin, **widened, config=config, dtype=placement.torch_dtype
        )
        model = model.to(placement.device).eval()
    if not tokenizer.has_chat_template:
        raise ModelUnavailable(
            f"{path} has no chat template, so it is not made to be asked; take an instruct model"
        )
    _log.info("loaded %s: %s", path, placement.reason)
    return model, tokenizer


def load_chat_tokenizer(path: Path) -> HubTokenizer:
    """The tokenizer of the model at ``path`` alone.

    Raises:
        ModelUnavailable: the files are missing or unreadable.
    """
    origin = _origin(path)
    with _translated(path):
        return HubTokenizer(AutoTokenizer.from_pretrained(**origin))


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        with no_progress_bars():
            yield
    except torch.OutOfMemoryError as error:
        raise ModelUnavailable(
            f"{path} does not fit into the device's memory; take a smaller model, or set llm.dtype "
            "to bfloat16"
        ) from error
    except FAILURES as error:
        raise ModelUnavailable(
            f"no causal language model can be loaded from {path} ({brief(error)}); check llm.path, "
            "and for a GGUF file that rankside[gguf] is installed"
        ) from error


def _origin(path: Path) -> dict[str, Any]:
    """What ``from_pretrained`` reads; a name that is no file would be looked for on the hub."""
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if path.is_dir():
        return {"pretrained_model_name_or_path": path, **local}
    if path.is_file() and path.suffix == _GGUF:
        return {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name, **local}
    raise ModelUnavailable(f"llm.path {path} is neither a folder nor a .gguf file; correct it")


def _place(options: LocalOptions, config: Any) -> Placement:
    """Only weights that say so are made for 32 bits; a GGUF file's have fewer, and say nothing."""
    half = config.dtype is not torch.float32
    return place(options.device, options.dtype, half_precision=half, table="llm")
