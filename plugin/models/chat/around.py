"""The base of what stands around an LLM and is one itself."""

from __future__ import annotations

from plugin.models.llm import LLM
from plugin.ranking.prompts import Tokenizer


class AroundLLM:
    """An LLM's name and tokenizer, and its end."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    @property
    def name(self) -> str:
        return self._llm.name

    @property
    def tokenizer(self) -> Tokenizer | None:
        return self._llm.tokenizer

    async def close(self) -> None:
        await self._llm.close()
