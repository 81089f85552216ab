"""The LLM of the settings, with all that stands before it."""

from __future__ import annotations

from plugin.models.chat.budget import BudgetedLLM
from plugin.models.chat.cache import CachedLLM
from plugin.models.chat.circuit import GuardedLLM
from plugin.models.chat.client import OpenAILLM
from plugin.models.chat.hedge import HedgedLLM
from plugin.models.chat.store import store_of
from plugin.models.llm import LLM
from plugin.models.options import LLMOptions

_SAMPLING = {
    "url",
    "model",
    "max_tokens",
    "temperature",
    "reasoning_effort",
    "extra_body",
    "decoding",
    "top_logprobs",
}


def load_llm(options: LLMOptions) -> LLM | None:
    """The LLM of the settings; None where no address is set.

    From the outside in: answers that are kept, the budget, the second server, the circuits.

    Raises:
        SettingsError: the store of the cache cannot be used.
    """
    if options.url is None:
        return None
    llm: LLM = GuardedLLM(OpenAILLM(options), options.circuit)
    hedge = options.hedge
    if hedge.url is not None:
        changed = {
            "url": hedge.url,
            "model": hedge.model or options.model,
            "api_key": hedge.api_key,
        }
        second = OpenAILLM(options.model_copy(update=changed))
        llm = HedgedLLM(llm, GuardedLLM(second, options.circuit), hedge.after)
    llm = BudgetedLLM(llm, options.budget, options.price)
    store = store_of(options.cache)
    return CachedLLM(llm, store, _asked(options)) if store else llm


def _asked(options: LLMOptions) -> str:
    """The settings by which an answer differs."""
    second = options.hedge.model_dump_json(include={"url", "model"})
    return options.model_dump_json(include=_SAMPLING) + second
