from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.models.local.llm import LocalLLM
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    SettingsError,
)
from plugin.ranking.llm_prompt import ChatMessage
from tests.unit.plugin.models.local.conftest import POSITIONS, Make

TURNS = (ChatMessage("system", "Order passages."), ChatMessage("user", "Which is best?"))
PATIENCE = 300.0


class Passes:
    """Counts the passes through a model, and does something at one of them."""

    def __init__(self, llm: LocalLLM, at: int = 0, act: Any = None) -> None:
        self.count = 0
        self._at, self._act = at, act
        # The last layer, behind whose turn nothing of the pass is left to be stopped.
        llm._model.model.layers[-1].register_forward_pre_hook(self._passing)

    def _passing(self, _module: object, _inputs: object) -> None:
        self.count += 1
        if self.count == self._at:
            self._act()


class Gate:
    """Holds a model up until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(PATIENCE)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE)


async def test_what_was_read_and_made_is_counted(make: Make) -> None:
    llm: LLM = make(max_tokens=16, model="tiny")

    completion = await llm.complete(TURNS, timeout=PATIENCE)

    assert llm.name == "tiny"
    turns = "".join(f"<|im_start|>{turn.role}\n{turn.content}<|im_end|>\n" for turn in TURNS)
    assert llm.tokenizer is not None
    assert completion.prompt_tokens == llm.tokenizer.count(turns + "<|im_start|>assistant\n")
    assert completion.completion_tokens == 16
    assert completion.cut
    assert completion.text
    assert not completion.estimated


async def test_the_likeliest_answer_is_always_the_same(make: Make) -> None:
    llm = make(max_tokens=16)

    first, second = [await llm.complete(TURNS, timeout=PATIENCE) for _ in range(2)]

    assert first == second


async def test_with_a_temperature_it_varies(make: Make) -> None:
    llm = make(max_tokens=16, temperature=2)

    answers = {(await llm.complete(TURNS, timeout=PATIENCE)).text for _ in range(4)}

    assert len(answers) > 1


async def test_an_answer_that_the_model_ends_is_whole(make: Make, mute_folder: Path) -> None:
    llm = make(path=mute_folder, max_tokens=16)

    completion = await llm.complete(TURNS, timeout=PATIENCE)

    assert (completion.text, completion.completion_tokens, completion.cut) == ("", 1, False)


async def test_what_has_come_at_the_deadline_is_an_answer(make: Make) -> None:
    llm = make(max_tokens=64)

    def expire() -> None:
        assert llm._under_way is not None
        llm._under_way._give_up = 0.0

    passes = Passes(llm, at=4, act=expire)

    completion = await llm.complete(TURNS, timeout=PATIENCE)

    assert completion.cut
    assert completion.completion_tokens == 4
    assert passes.count == 4


async def test_the_loop_does_not_wait_for_a_pass(make: Make) -> None:
    llm, gate = make(max_tokens=16), Gate()
    Passes(llm, at=1, act=gate)

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.05)

    gate.open.set()
    assert (await llm.complete(TURNS, timeout=PATIENCE)).completion_tokens == 16


async def test_a_prompt_is_left_between_two_layers(make: Make) -> None:
    llm, gate = make(max_tokens=16), Gate()
    passed: list[object] = []
    first, last = llm._model.model.layers
    first.register_forward_pre_hook(lambda *_: gate())
    last.register_forward_hook(lambda *_: passed.append(1))
    call = asyncio.create_task(llm.complete(TURNS, timeout=PATIENCE))
    await until(gate.reached)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    gate.open.set()
    llm._thread.shutdown(wait=True)

    assert passed == []


async def test_a_caller_that_goes_away_ends_it(make: Make) -> None:
    llm, gate = make(max_tokens=64), Gate()
    passes = Passes(llm, at=3, act=gate)
    call = asyncio.create_task(llm.complete(TURNS, timeout=PATIENCE))
    await until(gate.reached)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    gate.open.set()
    await llm.complete(TURNS, timeout=PATIENCE)

    assert passes.count == 3 + 64


async def test_calls_wait_for_their_turn_within_their_time(make: Make) -> None:
    llm, gate = make(max_tokens=16), Gate()
    passes = Passes(llm, at=1, act=gate)
    first = asyncio.create_task(llm.complete(TURNS, timeout=PATIENCE))
    await until(gate.reached)

    with pytest.raises(DeadlineExceeded):
        await llm.complete(TURNS, timeout=0.05)
    gate.open.set()

    assert (await first).completion_tokens == 16
    assert passes.count == 16


@pytest.mark.parametrize(
    ("raised", "error", "says"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), ModelUnavailable, "no memory for a prompt"),
        (RuntimeError("CUDA error: an illegal access"), ModelUnavailable, "restart the process"),
        (RuntimeError("shapes differ"), ModelOutputError, r"llm\.dtype"),
    ],
)
async def test_what_torch_raises_is_translated(
    make: Make, raised: Exception, error: type[Exception], says: str
) -> None:
    def fail() -> None:
        raise raised

    llm = make(max_tokens=16)
    Passes(llm, at=1, act=fail)

    with pytest.raises(error, match=says):
        await llm.complete(TURNS, timeout=PATIENCE)

    assert (await llm.complete(TURNS, timeout=PATIENCE)).completion_tokens == 16


async def test_a_prompt_over_the_positions_is_told(make: Make) -> None:
    with pytest.raises(ModelOutputError, match=rf"{POSITIONS} positions; set llm\.context_tokens"):
        await make().complete([ChatMessage("user", "gravity " * POSITIONS)], timeout=PATIENCE)


async def test_an_answer_ends_with_the_positions(make: Make) -> None:
    completion = await make(max_tokens=4096).complete(TURNS, timeout=PATIENCE)

    assert completion.prompt_tokens + completion.completion_tokens == POSITIONS
    assert completion.cut


async def test_the_first_token_tells_how_likely_each_letter_is(make: Make) -> None:
    llm = make(decoding="first_token")

    completion = await llm.complete(TURNS, timeout=PATIENCE)

    ids = llm.tokenizer.chat([{"role": one.role, "content": one.content} for one in TURNS])
    with torch.inference_mode():
        logs = llm._model(torch.tensor([ids])).logits[0, -1].log_softmax(0)
    told = dict(completion.first_token)
    for letter in "AbZ":
        (token,) = llm.tokenizer._rust.encode(letter, add_special_tokens=False).ids
        assert told[letter] == pytest.approx(float(logs[token]), abs=1e-4)
    assert len(told) >= 52
    assert (completion.completion_tokens, completion.cut) == (1, False)


async def test_a_template_is_given_its_settings(make: Make) -> None:
    thinking = make(max_tokens=16)
    other = make(max_tokens=16, extra_body={"chat_template_kwargs": {"enable_thinking": False}})

    counts = [
        (await llm.complete(TURNS, timeout=PATIENCE)).prompt_tokens for llm in (thinking, other)
    ]

    assert counts[1] > counts[0]  # the empty block of thought


def test_template_settings_that_are_no_table_are_told(make: Make) -> None:
    with pytest.raises(SettingsError, match="make it a table"):
        make(extra_body={"chat_template_kwargs": "enable_thinking"})


async def test_answers_that_are_cut_are_not_kept(chat_folder: Path) -> None:
    llm = load_llm(LLMOptions(path=chat_folder, device="cpu", max_tokens=16))
    assert llm is not None
    answers = [await llm.complete(TURNS, timeout=PATIENCE) for _ in range(2)]
    await llm.close()

    assert [one.cached for one in answers] == [False, False]


async def test_whole_answers_are_kept(mute_folder: Path) -> None:
    llm = load_llm(LLMOptions(path=mute_folder, device="cpu", max_tokens=16))
    assert llm is not None
    answers = [await llm.complete(TURNS, timeout=PATIENCE) for _ in range(2)]
    await llm.close()

    assert [one.cached for one in answers] == [False, True]
