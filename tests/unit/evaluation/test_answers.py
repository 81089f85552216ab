from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluation.answers import RememberedLLM
from plugin.models.llm import Completion
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.llm_prompt import ChatMessage

TURNS = [ChatMessage("user", "[1] a\n[2] b")]
WHOLE = Completion("[2] > [1]", 9, 5, first_token=(("A", -0.5),))
OPTIONS = LLMOptions(max_tokens=16)


class Counting:
    """Gives one completion, and counts how often."""

    name = "counting"
    tokenizer = None

    def __init__(self, completion: Completion) -> None:
        self.completion = completion
        self.calls = 0

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        del messages, timeout, passages
        self.calls += 1
        return self.completion

    async def close(self) -> None:
        pass


async def asked(path: Path, llm: Counting, options: LLMOptions = OPTIONS) -> Completion:
    """As by a process of its own."""
    remembered = RememberedLLM(llm, options, path)
    try:
        return await remembered.complete(TURNS, timeout=1)
    finally:
        await remembered.close()


async def test_another_process_need_not_ask(tmp_path: Path) -> None:
    llm, path = Counting(WHOLE), tmp_path / "new" / "answers.jsonl"

    first, second = [await asked(path, llm) for _ in range(2)]

    assert llm.calls == 1
    assert first == WHOLE
    assert (second.text, second.first_token, second.cached) == (WHOLE.text, (("A", -0.5),), True)
    assert second.prompt_tokens == 9


@pytest.mark.parametrize(("tokens", "calls"), [(16, 1), (15, 2)])
async def test_only_the_limit_of_tokens_would_cut_it_again(
    tmp_path: Path, tokens: int, calls: int
) -> None:
    llm = Counting(Completion("[2] >", 9, tokens, cut=True))

    for _ in range(2):
        await asked(tmp_path / "answers.jsonl", llm)

    assert llm.calls == calls


async def test_other_settings_ask_anew(tmp_path: Path) -> None:
    llm, path = Counting(WHOLE), tmp_path / "answers.jsonl"

    await asked(path, llm)
    await asked(path, llm, LLMOptions(max_tokens=17))

    assert llm.calls == 2


async def test_a_line_that_was_cut_off_is_asked_anew(tmp_path: Path) -> None:
    llm, path = Counting(WHOLE), tmp_path / "answers.jsonl"
    await asked(path, llm)
    path.write_text(path.read_text()[:-20])

    for _ in range(2):
        await asked(path, llm)

    assert llm.calls == 2


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give another file"):
        RememberedLLM(Counting(WHOLE), OPTIONS, tmp_path)


async def test_a_server_may_come_back_on_another_port(tmp_path: Path) -> None:
    llm, path = Counting(WHOLE), tmp_path / "answers.jsonl"

    for url in ("http://127.0.0.1:4001/v1", "http://127.0.0.1:4002/v1"):
        await asked(path, llm, LLMOptions.model_validate({"url": url, "max_tokens": 16}))

    assert llm.calls == 1
