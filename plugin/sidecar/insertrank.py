"""InsertRank through an LLM server, failing open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm import LLM, Completion
from plugin.models.llm_options import LLMOptions
from plugin.ranking import insertrank
from plugin.ranking.errors import (
    BudgetExhausted,
    CircuitOpen,
    DeadlineExceeded,
    ModelError,
    ModelUnavailable,
    Overloaded,
)
from plugin.ranking.hits import Ranking, RankRequest
from plugin.ranking.insertrank import Answer, Plan, Prompt
from plugin.ranking.windows import planned
from plugin.ranking.wire import PromptExplanation
from plugin.sidecar.admission import estimate_all
from plugin.sidecar.call import Call
from plugin.sidecar.deadline import Deadline
from plugin.sidecar.metrics import Metrics

T = TypeVar("T")
_PROMPT_TOKENS = 200  # the instructions around the passages
_TOKENS_PER_WORD = 2
_READING = 0.02  # seconds kept for what an answer that was cut says
_GRACE = 0.25  # seconds after which an LLM that keeps no time of its own is left
_LASTING = frozenset(
    {
        "deadline",
        "llm_overloaded",
        "llm_unavailable",
        "llm_circuit_open",
        "llm_budget_minute",
        "llm_budget_day",
    }
)


class InsertRanker:
    """Puts the head of a window in the order that an LLM states.

    Prompts are written and answers read in ``threads``, as tokenising takes its time.
    """

    def __init__(self, llm: LLM, options: LLMOptions, metrics: Metrics, threads: Executor) -> None:
        self._llm = llm
        self._options = options
        self._metrics = metrics
        self._threads = threads
        self._tokenizer = llm.tokenizer or EstimatingTokenizer()
        self._asking = options.insertrank(llm.tokenizer)

    @property
    def name(self) -> str:
        """The LLM's name at its server."""
        return self._llm.name

    @property
    def window(self) -> int:
        """The most hits the LLM orders."""
        return self._options.window

    @property
    def reserve(self) -> float | None:
        """Seconds kept for E2Rank in its place where it gives no order; None: nothing is."""
        options = self._options
        return options.fallback_reserve if options.fallback == "e2rank" else None

    def settles(self, lead: float) -> bool:
        """Whether a cascade is to leave E2Rank's order, whose first hit leads by ``lead``."""
        least = self._options.settled_margin
        return least is not None and lead >= least

    def estimate(self, request: RankRequest) -> int:
        """Estimated tokens of the prompts, for the admission rule."""
        asking, prompt = self._asking, self._asking.prompt
        limit = prompt.passage_tokens or prompt.passage_words * _TOKENS_PER_WORD
        head = request.windowed[: self.window]
        windows = planned(len(head), asking.prompt_hits, asking.stride, asking.windows)
        shown = sum(map(len, windows)) / max(1, len(head))  # times that a passage is read
        texts = estimate_all((hit.text or "" for hit in head), limit)
        return len(windows) * _PROMPT_TOKENS + int(texts * shown)

    async def rank(self, request: RankRequest, call: Call, *, reserve: float = 0.0) -> Ranking:
        """The head in the LLM's order, the rest behind it in first-stage order.

        ``reserve`` seconds of the deadline are kept for what comes after it.

        Raises:
            RequestError: the query is too long.
        """
        plan = await self._in_thread(
            lambda: insertrank.plan(request, self._asking, self._tokenizer)
        )
        left = call.deadline.left
        spared = max(left - reserve, left / 2)  # a reserve is never more than half
        deadline = Deadline.after(min(spared, call.llm_seconds, self._options.timeout))
        step = await self._in_thread(plan.advance)
        while not isinstance(step, Ranking):
            asked, lost = step, _lasting(plan)
            answers = [lost] * len(asked) if lost else await self._ask(asked, deadline, call)
            step = await self._in_thread(partial(plan.advance, answers))
        call.truncated += sum(one.prompt.truncated for one in plan.exchanges)
        call.prompts += [PromptExplanation.of(one, plan.hits) for one in plan.exchanges]
        return step

    async def _ask(self, prompts: Sequence[Prompt], deadline: Deadline, call: Call) -> list[Answer]:
        """The answers to prompts that do not depend on each other, asked side by side."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._answer(prompt, deadline, call)) for prompt in prompts]
        return [task.result() for task in asked]

    async def _answer(self, prompt: Prompt, deadline: Deadline, call: Call) -> Answer:
        try:
            left = deadline.left
            timeout = left - min(_READING, left / 10)
            async with Deadline.after(left + _GRACE).enforced():
                completion = await self._llm.complete(
                    prompt.messages, timeout=timeout, passages=len(prompt.shown)
                )
        except (ModelError, Overloaded, DeadlineExceeded) as error:
            return Answer(failure=_reason(error))
        self._count(call, completion)
        return Answer(completion.text, cut=completion.cut, first_token=completion.first_token)

    def _count(self, call: Call, completion: Completion) -> None:
        call.prompt_tokens += completion.prompt_tokens
        call.completion_tokens += completion.completion_tokens
        call.answers_cached += completion.cached
        cost = self._options.price.of(completion.prompt_tokens, completion.completion_tokens)
        call.cost += cost
        self._metrics.completed(completion, cost)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Give the LLM's connections back."""
        await self._llm.close()


def _lasting(plan: Plan) -> Answer | None:
    """A failure that the next prompt would meet too, so that it need not be asked."""
    failures = [one.answer for one in plan.exchanges if one.answer.failure in _LASTING]
    return failures[0] if failures else None


def _reason(error: ModelError | Overloaded | DeadlineExceeded) -> str:
    if isinstance(error, DeadlineExceeded):
        return "deadline"
    if isinstance(error, Overloaded):
        return "llm_overloaded"
    if isinstance(error, BudgetExhausted):
        return f"llm_budget_{error.per}"
    if isinstance(error, CircuitOpen):
        return "llm_circuit_open"
    return "llm_unavailable" if isinstance(error, ModelUnavailable) else "llm_output"
