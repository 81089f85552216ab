"""A causal language model in this process, as an LLM."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel
from transformers.generation.stopping_criteria import StoppingCriteria, StoppingCriteriaList

from plugin.models.chat.guided import GuidedDecoding
from plugin.models.hardware import gpu_failed
from plugin.models.llm import Completion
from plugin.models.llm_options import LLMOptions
from plugin.models.local.guided import GuidedOrder
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    SettingsError,
)
from plugin.ranking.first_token import LETTERS, bare
from plugin.ranking.llm_prompt import ChatMessage, Decoding

_GREETING = (ChatMessage("user", "Hello"),)


class _LeftError(Exception):
    """Nobody waits for the answer any more. Never leaves this module."""


class _Answer(StoppingCriteria):
    """An answer as far as it has come; it ends at ``give_up``, or when it is left.

    One that a ``guide`` holds to its form also ends when that is complete.
    """

    def __init__(self, give_up: float, guide: GuidedOrder | None = None) -> None:
        self.guide = guide
        self.prompt_tokens = 0
        self.tokens: list[int] = []
        self._give_up = give_up
        self._left = threading.Event()

    def leave(self) -> None:
        """Say that nobody waits for more of it."""
        self._left.set()

    @property
    def due(self) -> bool:
        """Whether it is to end."""
        return self._left.is_set() or time.monotonic() >= self._give_up

    @property
    def complete(self) -> bool:
        """Whether it says all it may."""
        return self.guide is not None and self.guide.complete

    def __call__(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> Any:
        """Take the token that was made; transformers asks after each whether to end."""
        token = int(input_ids[0, -1])
        self.tokens.append(token)
        if self.guide is not None:
            self.guide.take(token)
        return torch.full(
            (1,), self.due or self.complete, device=input_ids.device, dtype=torch.bool
        )


class LocalLLM:
    """Answers one prompt after the other, in a thread of its own.

    A deadline, or a caller that goes away, ends an answer between two tokens, and a prompt that is
    being read between two layers. For first-token decoding one token is made, and the probabilities
    of all that stand for a letter are told.

    Raises:
        SettingsError: the settings of the chat template are not a table.
    """

    def __init__(
        self, options: LLMOptions, model: PreTrainedModel, tokenizer: HubTokenizer
    ) -> None:
        self._options = options
        self._model = model
        self._tokenizer = tokenizer
        self._template = _template_settings(options)
        self._thread = ThreadPoolExecutor(1, "rankside-llm")
        self._under_way: _Answer | None = None
        self._ends = _ends(model, tokenizer)
        config = model.config.get_text_config()
        self._positions: int | None = getattr(config, "max_position_embeddings", None)
        self._first = options.decoding is Decoding.FIRST_TOKEN
        self._letters = _letters(tokenizer, config.vocab_size) if self._first else {}
        for layer in _layers(model, config.num_hidden_layers):
            layer.register_forward_pre_hook(self._heed)

    @property
    def name(self) -> str:
        return self._options.model

    @property
    def tokenizer(self) -> HubTokenizer:
        return self._tokenizer

    def warm(self) -> None:
        """Answer once, so that the first search is not the slow one.

        Raises:
            ModelError: it cannot.
        """
        self._answer(_GREETING, _Answer(float("inf")), most=1)

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        answer = _Answer(time.monotonic() + timeout, self._guide(passages))
        most = 1 if self._first else self._options.max_tokens
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._answer, messages, answer, most)
        try:
            done, _ = await asyncio.wait([work], timeout=timeout)
        finally:
            answer.leave()
            work.cancel()  # of one that is done this changes nothing
        if done:
            return work.result()
        return self._completion(answer, cut=True)

    async def close(self) -> None:
        if (answer := self._under_way) is not None:
            answer.leave()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answer(self, messages: Sequence[ChatMessage], answer: _Answer, most: int) -> Completion:
        """In the thread: the completion, cut where ``answer`` was due before its end."""
        ids = self._tokenizer.chat([asdict(message) for message in messages], **self._template)
        answer.prompt_tokens = len(ids)
        self._under_way = answer
        try:
            likeliest = self._generate(ids, answer, self._room(len(ids), most))
        except _LeftError:
            return self._completion(answer, cut=True)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise ModelUnavailable(
                f"the device has no memory for a prompt of {len(ids)} tokens; lower "
                "llm.context_tokens or llm.prompt_hits, or take a smaller model"
            ) from error
        except (RuntimeError, IndexError, ValueError) as error:
            if gpu_failed(error):
                raise ModelUnavailable("the GPU failed; restart the process", fatal=True) from error
            raise ModelOutputError(
                f"the LLM failed on a prompt ({type(error).__name__}); check llm.dtype and its "
                "weights"
            ) from error
        finally:
            self._under_way = None
        ended = self._first or answer.complete or answer.tokens[-1] in self._ends
        return self._completion(answer, cut=not ended, first_token=likeliest)

    def _guide(self, passages: int) -> GuidedOrder | None:
        guided = self._options.guided_decoding is not GuidedDecoding.OFF
        return (
            GuidedOrder(passages, self._tokenizer)
            if guided and passages and not self._first
            else None
        )

    def _room(self, prompt: int, most: int) -> int:
        """Tokens that the answer may have."""
        if self._positions is None:
            return most
        if prompt >= self._positions:
            raise ModelOutputError(
                f"a prompt has {prompt} tokens and the LLM {self._positions} positions; set "
                "llm.context_tokens to these, so that prompts are cut"
            )
        return min(most, self._positions - prompt)

    @torch.inference_mode()
    def _generate(
        self, ids: Sequence[int], answer: _Answer, most: int
    ) -> tuple[tuple[str, float], ...]:
        prompt, guide = torch.tensor([ids], device=self._model.device), answer.guide
        temperature = self._options.temperature
        sampled = {"do_sample": True, "temperature": temperature} if temperature else {}
        config = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=most,
            eos_token_id=sorted(self._ends) or None,
            pad_token_id=self._tokenizer.pad_id,
            output_logits=self._first,
            return_dict_in_generate=True,
            **({"do_sample": False} | sampled),
        )
        made: Any = self._model.generate(  # type: ignore[operator]
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=config,
            stopping_criteria=StoppingCriteriaList([answer]),
            prefix_allowed_tokens_fn=None if guide is None else lambda *_: guide.allowed(),
        )
        return self._likeliest(made.logits[0][0]) if self._first and self._letters else ()

    def _likeliest(self, logits: torch.Tensor) -> tuple[tuple[str, float], ...]:
        """The tokens that stand for a letter, and the natural logs of their probabilities."""
        logs = logits.float().log_softmax(0)[list(self._letters)].tolist()
        return tuple(zip(self._letters.values(), logs, strict=True))

    def _completion(
        self, answer: _Answer, *, cut: bool, first_token: tuple[tuple[str, float], ...] = ()
    ) -> Completion:
        tokens = tuple(answer.tokens)  # the thread may not have heard yet
        if not tokens:
            raise DeadlineExceeded(
                "the LLM made no token in the time given; raise the deadline or send fewer hits"
            )
        text = self._tokenizer.text(tokens)
        return Completion(text, answer.prompt_tokens, len(tokens), cut, first_token=first_token)

    def _heed(self, _module: torch.nn.Module, _inputs: Any) -> None:
        answer = self._under_way
        if answer is not None and answer.due:
            raise _LeftError


def _template_settings(options: LLMOptions) -> Mapping[str, Any]:
    found = options.extra_body.get("chat_template_kwargs", {})
    if not isinstance(found, dict):
        raise SettingsError(
            f"llm.extra_body has chat_template_kwargs {found!r}; make it a table of settings"
        )
    return found


def _ends(model: PreTrainedModel, tokenizer: HubTokenizer) -> frozenset[int]:
    """Tokens that end an answer; some models name one at the tokenizer and others in a file."""
    named = model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return frozenset(one for one in (*listed, tokenizer.end_id) if isinstance(one, int))


def _layers(model: PreTrainedModel, count: int) -> Sequence[torch.nn.Module]:
    lists = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    return next((list(found) for found in lists if len(found) == count), [])


def _letters(tokenizer: HubTokenizer, vocabulary: int) -> dict[int, str]:
    """Token id → what it says, of those that stand for a letter."""
    said = {token: tokenizer.text([token]) for token in range(vocabulary)}
    return {token: text for token, text in said.items() if bare(text) in LETTERS}
