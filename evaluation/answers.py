"""Answers of an LLM in a file, so that a measurement that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from plugin.models.chat.around import AroundLLM
from plugin.models.llm import LLM, Completion
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import asked
from plugin.ranking.errors import SettingsError
from plugin.ranking.llm_prompt import ChatMessage


class RememberedLLM(AroundLLM):
    """An LLM whose answers are kept in ``path``, a JSON object a line.

    Unlike the cache of searches it also keeps those that the limit of tokens cut, which would be
    cut again; an answer that a deadline cut is asked for anew. What it cost is told each time.

    Raises SettingsError where the file cannot be read or written.
    """

    def __init__(self, llm: LLM, options: LLMOptions, path: Path) -> None:
        super().__init__(llm)
        # Where the server is makes no difference: a local one has another port each time.
        self._settings = asked(options.model_copy(update={"url": None}))
        self._most = options.max_tokens
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            found = path.read_text(encoding="utf-8") if path.exists() else ""
            self._kept = _read(found)
            self._file: IO[str] = path.open("a", encoding="utf-8")
            if found and not found.endswith("\n"):  # its process was ended as it wrote
                self._file.write("\n")
        except OSError as error:
            raise SettingsError(
                f"answers cannot be kept in {path} ({error.strerror}); give another file"
            ) from error

    async def close(self) -> None:
        """Close the file too."""
        await super().close()
        self._file.close()

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """As the LLM."""
        key = self._key(messages)
        if (kept := self._kept.get(key)) is not None:
            return replace(kept, cached=True)
        completion = await self._llm.complete(messages, timeout=timeout, passages=passages)
        if not completion.cut or completion.completion_tokens >= self._most:
            self._kept[key] = completion
            # Each on its own and at once: the next thing may be the end of the process.
            self._file.write(json.dumps({"key": key, **asdict(completion)}) + "\n")
            self._file.flush()
        return completion

    def _key(self, messages: Sequence[ChatMessage]) -> str:
        text = json.dumps([self._settings, [asdict(message) for message in messages]])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(text: str) -> dict[str, Completion]:
    found = (_parsed(line) for line in text.splitlines())
    return {row.pop("key"): Completion(**row) for row in found if row}


def _parsed(line: str) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:  # the last line of such a process
        return {}
    row["first_token"] = tuple((token, logprob) for token, logprob in row["first_token"])
    return row
