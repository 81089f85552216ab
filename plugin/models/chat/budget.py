"""What an LLM may cost: tokens and money, a minute and a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plugin.models.chat.around import AroundLLM
from plugin.models.chat.options import BudgetOptions, PriceOptions
from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm import LLM, Completion
from plugin.ranking.errors import BudgetExhausted, ModelError, Overloaded
from plugin.ranking.llm_prompt import ChatMessage

_MINUTE, _DAY = 60, 86_400
_NAMES = {_MINUTE: "minute", _DAY: "day"}


@dataclass(slots=True)
class _Limit:
    """``most`` within each ``seconds`` of the clock; ``spent`` since the last of them began."""

    what: str
    seconds: int
    most: float
    spent: float = 0.0
    window: int = 0

    def turn(self, now: float) -> None:
        window = int(now // self.seconds)
        if window != self.window:
            self.window, self.spent = window, 0.0

    def left_after(self, now: float) -> float:
        """Seconds until it begins anew."""
        return self.seconds - now % self.seconds


class BudgetedLLM(AroundLLM):
    """An LLM that is not asked once the budget of the minute or the day is spent.

    Minutes and days are those of UTC. A prompt's estimated tokens count as soon as the call begins,
    so that calls under way at once do not overrun a budget together; the answer's count when it is
    there. A restart begins with nothing spent.
    """

    def __init__(
        self,
        llm: LLM,
        budget: BudgetOptions,
        price: PriceOptions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(llm)
        self._price = price
        self._clock = clock
        said = (
            ("tokens", _MINUTE, budget.tokens_per_minute),
            ("tokens", _DAY, budget.tokens_per_day),
            ("cost", _MINUTE, budget.cost_per_minute),
            ("cost", _DAY, budget.cost_per_day),
        )
        self._limits = [_Limit(what, per, most) for what, per, most in said if most is not None]

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """As the LLM; also raises BudgetExhausted."""
        count = EstimatingTokenizer().count
        expected = sum(count(message.content) for message in messages) if self._limits else 0
        windows = self._reserve(expected)
        try:
            completion = await self._llm.complete(messages, timeout=timeout, passages=passages)
        except (ModelError, Overloaded):  # of others the prompt may have been read, and costs
            self._settle(expected, windows, 0, 0)
            raise
        self._settle(expected, windows, completion.prompt_tokens, completion.completion_tokens)
        return completion

    def _reserve(self, tokens: int) -> list[int]:
        """Count a prompt; the windows it was counted in."""
        now = self._clock()
        for limit in self._limits:
            limit.turn(now)
            if limit.spent + self._amount(limit, tokens, 0) > limit.most:
                raise BudgetExhausted(
                    f"the LLM's budget of {limit.most:g} {limit.what} a {_NAMES[limit.seconds]} is "
                    f"spent; it begins anew in {limit.left_after(now):.0f} s",
                    per=_NAMES[limit.seconds],
                )
        for limit in self._limits:
            limit.spent += self._amount(limit, tokens, 0)
        return [limit.window for limit in self._limits]

    def _settle(self, reserved: int, windows: Sequence[int], prompt: int, completion: int) -> None:
        """Count what a call took, in the window it ended in, in the place of what was reserved."""
        now = self._clock()
        for limit, window in zip(self._limits, windows, strict=True):
            limit.turn(now)
            if limit.window == window:
                limit.spent -= self._amount(limit, reserved, 0)
            limit.spent += self._amount(limit, prompt, completion)

    def _amount(self, limit: _Limit, prompt: int, completion: int) -> float:
        return self._price.of(prompt, completion) if limit.what == "cost" else prompt + completion
