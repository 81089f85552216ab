"""What an LLM is to InsertRank: something that answers chat turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from plugin.ranking.llm_prompt import ChatMessage
from plugin.ranking.prompts import Tokenizer


@dataclass(frozen=True, slots=True)
class Completion:
    """An LLM's answer and what it cost.

    ``cut`` says that not the LLM ended it: a deadline, a limit of tokens, or a lost connection did.
    ``estimated`` says that the server named no tokens and they were estimated. ``cached`` says that
    the answer was there already and cost nothing. ``first_token`` holds the likeliest first tokens
    and the natural logs of their probabilities, where those were asked for.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    cut: bool = False
    estimated: bool = False
    cached: bool = False
    first_token: tuple[tuple[str, float], ...] = ()


class LLM(Protocol):
    """Answers chat turns. Raises ModelError, Overloaded or DeadlineExceeded, nothing else."""

    @property
    def name(self) -> str:
        """The model's name as the server knows it."""
        ...

    @property
    def tokenizer(self) -> Tokenizer | None:
        """What its prompts are counted with; None where it is not known."""
        ...

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """Answer within ``timeout`` seconds, retries included.

        ``passages`` is how many of them the answer is to put in order, 0 where it is no order: what
        guided decoding needs to know.
        What has come by then is an answer that is cut; DeadlineExceeded if nothing has.
        """
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...
