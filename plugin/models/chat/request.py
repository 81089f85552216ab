"""What an LLM server is sent, and what it is counted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plugin.models.chat.guided import guide
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.llm_prompt import ChatMessage, Decoding
from plugin.ranking.prompts import Tokenizer


def chat_body(
    options: LLMOptions, messages: Sequence[ChatMessage], passages: int = 0
) -> dict[str, Any]:
    """The body of `POST {url}/chat/completions` for ``messages``, which order ``passages``."""
    first = options.decoding is Decoding.FIRST_TOKEN
    if first:
        asked: dict[str, Any] = {
            "max_tokens": 1,
            "logprobs": True,
            "top_logprobs": options.top_logprobs,
        }
    elif options.stream:
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        asked = {"max_tokens": options.max_tokens, **streamed}
    else:
        asked = {"max_tokens": options.max_tokens}
    effort = {"reasoning_effort": options.reasoning_effort} if options.reasoning_effort else {}
    return {
        "model": options.model,
        "messages": [asdict(message) for message in messages],
        "temperature": options.temperature,
        **asked,
        **effort,
        **({} if first else guide(options.guided_decoding, passages)),
        **options.extra_body,
    }


def llm_tokenizer(options: LLMOptions) -> Tokenizer | None:
    """The tokenizer that the settings name, that of a model in this process, or None.

    Raises:
        SettingsError: what it takes to read one is not installed.
        ModelUnavailable: there is none to read.
    """
    if options.tokenizer is None and options.path is None:
        return None
    try:
        from plugin.models.local.loading import load_chat_tokenizer
        from plugin.models.tokenizer import load_tokenizer
    except ImportError as error:
        raise SettingsError(
            f"llm.tokenizer needs an extra ({error}); install rankside[models], or leave it out"
        ) from error
    if options.path is not None:
        return load_chat_tokenizer(options.path)
    return load_tokenizer(Path(str(options.tokenizer)), "llm.tokenizer")
