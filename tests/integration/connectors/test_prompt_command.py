"""`rankside prompt render` on an index shows what a search makes the sidecar send to the LLM."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from plugin.models.encoder import Encoder
from plugin.models.llm import Completion
from plugin.ranking.llm_prompt import ChatMessage
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from rankside.cli import root
from tests.integration.connectors.conftest import Stored
from tests.reversing_llm import ReversingLLM
from tests.serving import serving

TEXT = "why does cold water damage pipes"


class RecordingLLM(ReversingLLM):
    """Keeps what it was sent."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []
        self.answer: str | None = None

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        self.asked.append([asdict(message) for message in messages])
        if self.answer is not None:
            return Completion(self.answer, prompt_tokens=1, completion_tokens=1)
        return await super().complete(messages, timeout=timeout, passages=passages)


@pytest.fixture
def llm() -> RecordingLLM:
    return RecordingLLM()


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch, engine_url: str, minilm: Encoder, llm: RecordingLLM
) -> Iterator[None]:
    with serving(create_app(SidecarOptions(), minilm, llm)) as url:
        monkeypatch.setenv("RANKSIDE_ENGINE__URL", engine_url)
        monkeypatch.setenv("RANKSIDE_CLIENT__URL", url)
        monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")
        yield


def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["rankside", *words, "--json"])
    with pytest.raises(SystemExit, match="0"):
        root.main()
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("with_body", [False, True])
def test_what_is_rendered_is_what_is_sent(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stored: Stored,
    llm: RecordingLLM,
    tmp_path: Path,
    with_body: bool,
) -> None:
    words = [TEXT, "--index", stored.name]
    if with_body:
        file = tmp_path / "body.json"
        body = {
            "query": {"match": {"text": "water"}},
            "post_filter": {"range": {"number": {"lt": 12}}},
        }
        file.write_text(json.dumps(body), "utf-8")
        words += ["--query-body", str(file)]

    rendered = called(monkeypatch, capsys, "prompt", "render", *words)
    searched = called(monkeypatch, capsys, "search", *words, "--strategy", "insertrank")

    assert searched["status"] == "reranked"
    (prompt,) = rendered["prompts"]
    assert llm.asked == [prompt["body"]["messages"]]
    assert len(prompt["hits"]) > 2
    (told,) = searched["prompts"]
    assert (told["sha256"], told["hits"]) == (prompt["sha256"], prompt["hits"])
    assert (told["outcome"], told["answer"][:4]) == ("clean", f"[{len(prompt['hits'])}]"[:4])


@pytest.mark.usefixtures("settings")
def test_explain_shows_what_was_asked_and_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stored: Stored
) -> None:
    words = [TEXT, "--index", stored.name, "--strategy", "insertrank", "--window", "3"]
    monkeypatch.setattr(sys, "argv", ["rankside", "search", *words, "--explain"])

    with pytest.raises(SystemExit, match="0"):
        root.main()

    lines = capsys.readouterr().out.splitlines()
    asked = next(line for line in lines if line.startswith("asked: insertrank-1 · 3 hits · "))
    assert " · clean · sha256 " in asked
    assert lines[lines.index(asked) + 1] == "[3] > [2] > [1]"


@pytest.mark.usefixtures("settings")
def test_an_answer_that_could_not_be_read_is_told_with_the_search_it_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stored: Stored,
    llm: RecordingLLM,
) -> None:
    llm.answer = "I cannot rank these."
    words = [TEXT, "--index", stored.name, "--strategy", "insertrank", "--window", "3"]

    searched = called(monkeypatch, capsys, "search", *words)

    assert (searched["status"], searched["reason"]) == ("passed_through", "llm_answer_unusable")
    (told,) = searched["prompts"]
    assert (told["answer"], told["outcome"]) == (llm.answer, "unusable")
