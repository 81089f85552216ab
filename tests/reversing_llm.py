"""An LLM whose order cannot be anybody else's."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.models.llm import Completion
from plugin.ranking.llm_prompt import ChatMessage


class ReversingLLM:
    """Ranks the passages it is shown from the last to the first."""

    name = "reverser"
    tokenizer = None

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        del timeout, passages
        count = sum(line.startswith("[") for line in messages[-1].content.splitlines())
        answer = " > ".join(f"[{number}]" for number in range(count, 0, -1))
        return Completion(answer, prompt_tokens=1, completion_tokens=1)

    async def close(self) -> None:
        pass
