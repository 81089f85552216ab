"""InsertRank through an LLM server, failing open."""

from __future__ import annotations

from dataclasses import replace

from plugin.models.llm import LLM, Completion
from plugin.models.options import LLMOptions
from plugin.ranking import insertrank
from plugin.ranking.errors import DeadlineExceeded, ModelError, ModelUnavailable, Overloaded
from plugin.ranking.hits import Ranking, RankRequest, passed_through
from plugin.ranking.insertrank import InsertRankOptions, ScoreMode
from plugin.sidecar.admission import estimate_all
from plugin.sidecar.call import Call
from plugin.sidecar.metrics import Metrics

_PROMPT_TOKENS = 200  # the instructions around the passages
_TOKENS_PER_WORD = 2


class InsertRanker:
    """Puts the head of a window in the order that an LLM states."""

    def __init__(self, llm: LLM, options: LLMOptions, metrics: Metrics) -> None:
        self._llm = llm
        self._options = options
        self._metrics = metrics

    @property
    def name(self) -> str:
        """The LLM's name at its server."""
        return self._llm.name

    @property
    def window(self) -> int:
        """The most hits one prompt orders."""
        return self._options.window

    def estimate(self, request: RankRequest) -> int:
        """Estimated tokens of the prompt and the answer, for the admission rule."""
        limit = self._options.passage_words * _TOKENS_PER_WORD
        head = request.windowed[: self.window]
        return _PROMPT_TOKENS + estimate_all((hit.text or "" for hit in head), limit)

    async def rank(self, request: RankRequest, call: Call) -> Ranking:
        """The head in the LLM's order, the rest behind it in first-stage order.

        Raises:
            RequestError: a hit that enters the prompt has no text.
        """
        messages = insertrank.messages(request, self._prompt(request))
        timeout = min(call.deadline.left, self._options.timeout)
        try:
            async with call.deadline.enforced():
                completion = await self._llm.complete(messages, timeout=timeout)
        except (ModelError, Overloaded, DeadlineExceeded) as error:
            return passed_through(request, _reason(error))
        self._count(call, completion)
        return insertrank.ranking(request, completion.text)

    def _prompt(self, request: RankRequest) -> InsertRankOptions:
        """How the prompt is written; scores that are all the same say nothing, so none is shown."""
        options = self._options.insertrank
        alike = len({hit.score for hit in request.windowed}) < 2
        return replace(options, score_mode=ScoreMode.OFF) if alike else options

    def _count(self, call: Call, completion: Completion) -> None:
        call.prompt_tokens += completion.prompt_tokens
        call.completion_tokens += completion.completion_tokens
        self._metrics.completed(completion.prompt_tokens, completion.completion_tokens)

    async def close(self) -> None:
        """Give the LLM's connections back."""
        await self._llm.close()


def _reason(error: ModelError | Overloaded | DeadlineExceeded) -> str:
    if isinstance(error, DeadlineExceeded):
        return "deadline"
    if isinstance(error, Overloaded):
        return "llm_overloaded"
    return "llm_unavailable" if isinstance(error, ModelUnavailable) else "llm_output"
