"""The LLM of the settings, a server's or in this process, with all that stands before it."""

from __future__ import annotations

from pathlib import Path

from plugin.models.chat.budget import BudgetedLLM
from plugin.models.chat.cache import CachedLLM
from plugin.models.chat.circuit import GuardedLLM
from plugin.models.chat.client import OpenAILLM
from plugin.models.chat.hedge import HedgedLLM
from plugin.models.chat.store import store_of
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import SettingsError

_SAMPLING = {
    "url",
    "path",
    "dtype",
    "model",
    "max_tokens",
    "temperature",
    "reasoning_effort",
    "extra_body",
    "decoding",
    "guided_decoding",
    "top_logprobs",
}


def load_llm(options: LLMOptions) -> LLM | None:
    """The LLM of the settings; None where neither an address nor a path is set.

    From the outside in: answers that are kept, the budget, the second server, the circuits. A model
    in this process has no circuit and no second server: it is there, or was never loaded.

    Raises:
        SettingsError: the store of the cache cannot be used, the device is not there, or the extra
            `models` is not installed.
        ModelUnavailable: the model at the path cannot be loaded, or has no memory to run.
    """
    if options.path is not None:
        llm = _local(options, options.path)
    elif options.url is not None:
        llm = _served(options)
    else:
        return None
    llm = BudgetedLLM(llm, options.budget, options.price)
    store = store_of(options.cache)
    return CachedLLM(llm, store, asked(options)) if store else llm


def _served(options: LLMOptions) -> LLM:
    llm: LLM = GuardedLLM(OpenAILLM(options), options.circuit)
    hedge = options.hedge
    if hedge.url is None:
        return llm
    changed = {"url": hedge.url, "model": hedge.model or options.model, "api_key": hedge.api_key}
    second = OpenAILLM(options.model_copy(update=changed))
    return HedgedLLM(llm, GuardedLLM(second, options.circuit), hedge.after)


def _local(options: LLMOptions, path: Path) -> LLM:
    try:
        from plugin.models.local.llm import LocalLLM
        from plugin.models.local.loading import load_causal
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[models], or set llm.url"
        ) from error
    llm = LocalLLM(options, *load_causal(options, path))
    llm.warm()
    return llm


def asked(options: LLMOptions) -> str:
    """The settings by which an answer differs."""
    second = options.hedge.model_dump_json(include={"url", "model"})
    return options.model_dump_json(include=_SAMPLING) + second
