"""Reading chat completions: whole, or as they are made.

Source: OpenAI's API reference, "Chat completions" and "Streaming". Reasoning comes in a field of
its own from vLLM, DeepSeek and others (``reasoning_content``, or ``reasoning``): it is counted and
left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm import Completion
from plugin.ranking.errors import ModelOutputError, ModelUnavailable
from plugin.ranking.llm_prompt import ChatMessage

DONE = "[DONE]"
_REASONING = ("reasoning_content", "reasoning")
_LONGEST = 4 << 20  # characters of an answer that is read; a permutation takes a few hundred
_WHOLE = frozenset({"stop", None})  # other reasons to end, as "length", cut an answer off


class Answer:
    """An answer as far as it has come."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._pieces = 0
        self._reason: str | None = None
        self._usage: Mapping[str, Any] = {}

    @property
    def begun(self) -> bool:
        """Whether any of its text has come."""
        return bool(self._parts)

    def event(self, data: str) -> None:
        """Take one event of a stream.

        Raises:
            ModelUnavailable: the server says that it failed.
            ModelOutputError: it is not an event of a chat completion, or the answer has no end.
        """
        try:
            chunk = json.loads(data)
            choices = chunk.get("choices") or []
            delta = choices[0].get("delta") or {} if choices else {}
            reason = choices[0].get("finish_reason") if choices else None
            text = delta.get("content") or ""
            thought = next((delta[name] for name in _REASONING if delta.get(name)), "")
            self._usage = chunk.get("usage") or self._usage
            failure = chunk.get("error")
        except (ValueError, AttributeError, IndexError, TypeError) as error:
            raise ModelOutputError(
                "the LLM server streams what is not a chat completion; check that the address ends "
                "in /v1, or set RANKSIDE_LLM__STREAM=false"
            ) from error
        if failure:
            raise ModelUnavailable(f"the LLM server failed while it answered: {str(failure)[:200]}")
        self._add(text, thought)
        self._reason = reason or self._reason

    def _add(self, text: object, thought: object) -> None:
        if not (isinstance(text, str) and isinstance(thought, str)):
            raise ModelOutputError(
                "the LLM server streams content that is no text; check its model"
            )
        self._length += len(text) + len(thought)
        self._pieces += bool(text or thought)
        if self._length > _LONGEST:
            raise ModelOutputError(
                f"the LLM's answer is over {_LONGEST} characters; lower RANKSIDE_LLM__MAX_TOKENS"
            )
        if text:
            self._parts.append(text)

    def completion(self, messages: Sequence[ChatMessage], *, ended: bool) -> Completion:
        """What there is; ``ended`` says that the server said it was all."""
        cut = not (ended or self._reason) or self._reason not in _WHOLE
        return _completion("".join(self._parts), messages, self._usage, self._pieces, cut=cut)


def whole(body: Any, messages: Sequence[ChatMessage]) -> Completion:
    """The completion of a response that is not a stream.

    Raises:
        ModelOutputError: it is not one.
    """
    try:
        choice = body["choices"][0]
        text, usage = choice["message"]["content"] or "", body.get("usage") or {}
        cut = choice.get("finish_reason") not in _WHOLE
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise not_a_completion() from error
    return _completion(text, messages, usage, 0, cut=cut)


def first_token(body: Any, messages: Sequence[ChatMessage]) -> Completion:
    """The completion of one token, with the likeliest ones in its place.

    Raises:
        ModelOutputError: the response is no completion, or tells no probabilities.
    """
    completion = whole(body, messages)
    try:
        told = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        likeliest = tuple((str(one["token"]), float(one["logprob"])) for one in told)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelOutputError(
            "the LLM server tells no probabilities of its first token (top_logprobs); set "
            "RANKSIDE_LLM__DECODING=permutation"
        ) from error
    return replace(completion, cut=False, first_token=likeliest)  # one token was all it might say


def not_a_completion() -> ModelOutputError:
    """The error of an answer of another form."""
    return ModelOutputError(
        "the LLM server's answer is not a chat completion; check that the address ends in /v1"
    )


def _completion(
    text: str,
    messages: Sequence[ChatMessage],
    usage: Mapping[str, Any],
    pieces: int,
    *,
    cut: bool,
) -> Completion:
    """Where the server names no tokens: a piece of a stream is a token, the rest is estimated."""
    prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
    count = EstimatingTokenizer().count
    return Completion(
        text,
        int(prompt) if prompt else sum(count(message.content) for message in messages),
        int(answer) if answer else pieces or count(text),
        cut=cut,
        estimated=not (prompt and answer),
    )
