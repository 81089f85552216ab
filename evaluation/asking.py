"""InsertRank without a sidecar: prompts written by the core, an LLM asked, its answers read."""

from __future__ import annotations

from collections.abc import Callable

from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm import LLM
from plugin.ranking import insertrank
from plugin.ranking.errors import DeadlineExceeded, ModelError, Overloaded
from plugin.ranking.hits import Ranking, RankRequest
from plugin.ranking.insertrank import Answer, InsertRankOptions, Prompt
from plugin.ranking.neutral import neutral


async def ranking(
    llm: LLM,
    request: RankRequest,
    options: InsertRankOptions,
    *,
    seconds: float,
    clean: Callable[[str], str] = neutral,
) -> Ranking:
    """The order that ``llm`` gives; it has ``seconds`` for each answer.

    A failure leaves the hits of its prompt as they stood, with its name for a reason.

    Raises:
        RequestError: the query is too long.
    """
    plan = insertrank.plan(request, options, llm.tokenizer or EstimatingTokenizer(), clean)
    step = plan.advance()
    while not isinstance(step, Ranking):
        step = plan.advance([await _answer(llm, prompt, seconds) for prompt in step])
    return step


async def _answer(llm: LLM, prompt: Prompt, seconds: float) -> Answer:
    try:
        completion = await llm.complete(
            prompt.messages, timeout=seconds, passages=len(prompt.shown)
        )
    except (ModelError, Overloaded, DeadlineExceeded) as error:
        return Answer(failure=type(error).__name__)
    return Answer(completion.text, cut=completion.cut, first_token=completion.first_token)
