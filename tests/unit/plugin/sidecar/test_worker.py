"""Dynamic batching: what calls share, and what they must never notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import numpy as np
import pytest

from plugin.models.encoder import Encoded, Encoder
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelOutputError,
    ModelUnavailable,
    RanksideError,
    SettingsError,
)
from plugin.ranking.prompts import EncoderInput, InputKind
from plugin.sidecar.admission import Admission
from plugin.sidecar.batching import Budget, Embedded
from plugin.sidecar.deadline import Deadline
from plugin.sidecar.metrics import Metrics
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.worker import Worker
from tests.doubles import Gate, Matrix, WordEncoder

FAR = 60.0
Start = Callable[..., Awaitable[Worker]]


def inputs(*texts: str) -> list[EncoderInput]:
    return [EncoderInput(InputKind.DOCUMENT, text) for text in texts]


def wait_for(gate: Gate) -> asyncio.Future[bool]:
    return asyncio.ensure_future(asyncio.to_thread(gate.arrived.wait, 30))


@pytest.fixture
async def start(
    encoder: WordEncoder, fatal: list[RanksideError], gate: Gate
) -> AsyncIterator[Start]:
    """Starts a worker with the options given; it is stopped at the end."""
    started: list[Worker] = []

    async def make(load: Callable[[], Encoder] | None = None, **options: object) -> Worker:
        metrics = Metrics()
        settings = SidecarOptions.model_validate(options)
        rule = Admission(settings.queue_tokens, metrics)
        worker = Worker(load or (lambda: encoder), settings, rule, metrics, fatal.append)
        loaded = asyncio.get_running_loop().create_future()
        worker.start(loaded)
        started.append(worker)
        await loaded
        return worker

    yield make
    gate.open()
    for worker in started:
        await worker.stop(10)


async def test_vectors_come_in_the_order_of_the_inputs(start: Start, encoder: WordEncoder) -> None:
    worker = await start(batch_tokens=64)
    texts = [f"text number {n} " * (1 + n % 5) for n in range(50)]
    embedded = await worker.encode(inputs(*texts), Deadline.after(FAR))
    np.testing.assert_array_equal(embedded.vectors, encoder.encode(inputs(*texts)).vectors)
    assert len(encoder.batches) > 2


async def test_concurrent_calls_get_the_vectors_they_get_alone(
    start: Start, encoder: WordEncoder
) -> None:
    worker = await start(batch_tokens=256, batch_wait=0.05)
    calls = [inputs(*(f"call {n} text {m}" for m in range(1 + n % 7))) for n in range(30)]
    answers = await asyncio.gather(*(worker.encode(call, Deadline.after(FAR)) for call in calls))
    shared = [batch for batch in encoder.batches if len({text[:7] for text in batch}) > 1]
    assert shared, "no batch was shared, so nothing was shown"
    for call, answer in zip(calls, answers, strict=True):
        np.testing.assert_array_equal(answer.vectors, encoder.encode(call).vectors)


async def test_a_batch_keeps_to_the_token_budget(start: Start, encoder: WordEncoder) -> None:
    worker = await start(batch_tokens=64)
    text = "x" * 56  # 16 tokens by estimate
    await worker.encode(inputs(*[text] * 10), Deadline.after(FAR))
    assert [len(batch) for batch in encoder.batches] == [4, 4, 2]


async def test_a_text_over_the_budget_runs_alone(start: Start, encoder: WordEncoder) -> None:
    worker = await start(batch_tokens=64)
    await worker.encode(inputs("x", "y" * 1000, "z"), Deadline.after(FAR))
    assert [batch for batch in encoder.batches if "y" * 1000 in batch] == [["y" * 1000]]


async def test_urgent_work_is_before_all_that_waits(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_tokens=64, batch_wait=0)
    encoder.before = gate
    first = asyncio.create_task(worker.encode(inputs("first"), Deadline.after(FAR)))
    await wait_for(gate)
    many = [
        asyncio.create_task(worker.encode(inputs("b" * 200), Deadline.after(FAR)))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    probe = asyncio.create_task(worker.encode(inputs("ready?"), Deadline.after(FAR), urgent=True))
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(first, probe, *many)
    assert encoder.batches[1][0] == "ready?"


async def test_a_small_call_behind_a_bulk_call_is_in_the_next_batch(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_tokens=64, batch_wait=0)
    encoder.before = gate
    bulk = asyncio.create_task(worker.encode(inputs(*["b" * 56] * 100), Deadline.after(FAR)))
    await wait_for(gate)
    search = asyncio.create_task(worker.encode(inputs("search"), Deadline.after(FAR)))
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(bulk, search)
    assert "search" in encoder.batches[1]


async def test_what_is_past_its_deadline_never_runs(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_wait=0)
    encoder.before = gate
    first = asyncio.create_task(worker.encode(inputs("first"), Deadline.after(FAR)))
    await wait_for(gate)
    with pytest.raises(DeadlineExceeded, match="not done within 20 ms"):
        await worker.encode(inputs("late"), Deadline.after(0.02))
    gate.open()
    await first
    await worker.encode(inputs("next"), Deadline.after(FAR))
    assert encoder.batches == [["first"], ["next"]]


async def test_a_cancelled_call_leaves_the_queue(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_wait=0)
    encoder.before = gate
    first = asyncio.create_task(worker.encode(inputs("first"), Deadline.after(FAR)))
    await wait_for(gate)
    second = asyncio.create_task(worker.encode(inputs("second"), Deadline.after(FAR)))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.open()
    await first
    await worker.encode(inputs("third"), Deadline.after(FAR))
    assert encoder.batches == [["first"], ["third"]]


async def test_a_failure_stays_with_the_call_that_causes_it(
    start: Start, encoder: WordEncoder
) -> None:
    def poisoned(batch: Sequence[EncoderInput]) -> None:
        if any(one.text == "poison" for one in batch):
            raise ValueError("cannot read this")

    worker = await start(batch_wait=0.05)
    encoder.before = poisoned
    good, bad = await asyncio.gather(
        worker.encode(inputs("good", "better"), Deadline.after(FAR)),
        worker.encode(inputs("fine", "poison"), Deadline.after(FAR)),
        return_exceptions=True,
    )
    assert isinstance(good, Embedded)
    np.testing.assert_array_equal(good.vectors, encoder.encode(inputs("good", "better")).vectors)
    assert isinstance(bad, ModelOutputError)
    assert isinstance(bad.__cause__, ValueError)
    assert (await worker.encode(inputs("after"), Deadline.after(FAR))).tokens == (3,)


async def test_the_wrong_number_of_vectors_is_an_error(start: Start, encoder: WordEncoder) -> None:
    worker = await start()
    encoder.spoil = lambda vectors: vectors[:-1]
    with pytest.raises(ModelOutputError, match="1 vectors for 2 texts"):
        await worker.encode(inputs("a", "b"), Deadline.after(FAR))


async def test_a_lost_device_is_fatal_and_reported_once(
    start: Start, encoder: WordEncoder, fatal: list[RanksideError]
) -> None:
    def lost(_: Sequence[EncoderInput]) -> None:
        raise ModelUnavailable("the GPU failed; restart the process", fatal=True)

    worker = await start()
    encoder.before = lost
    with pytest.raises(ModelUnavailable):
        await worker.encode(inputs("a"), Deadline.after(FAR))
    await worker.stop(10)
    assert [str(error) for error in fatal] == ["the GPU failed; restart the process"]


async def test_a_model_that_cannot_be_loaded_says_why(start: Start) -> None:
    def absent() -> Encoder:
        raise SettingsError("no such model")

    with pytest.raises(SettingsError, match="no such model"):
        await start(absent)


async def test_a_loader_that_breaks_is_translated(start: Start) -> None:
    def broken() -> Encoder:
        raise ZeroDivisionError

    with pytest.raises(ModelOutputError, match="ZeroDivisionError"):
        await start(broken)


async def test_stopping_finishes_what_is_queued(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_wait=0)
    encoder.before = gate
    calls = [
        asyncio.create_task(worker.encode(inputs(f"t{n}"), Deadline.after(FAR))) for n in range(3)
    ]
    await wait_for(gate)
    gate.open()
    await worker.stop(10)
    assert [answer.tokens for answer in await asyncio.gather(*calls)] == [(3,)] * 3


async def test_the_encoder_is_closed_once_the_last_batch_is_done(
    start: Start, encoder: WordEncoder
) -> None:
    open_: list[bool] = []
    worker = await start()
    encoder.before = lambda _: open_.append(not encoder.closed)
    await worker.encode(inputs("a"), Deadline.after(FAR))
    await worker.stop(10)
    assert (open_, encoder.closed) == ([True], True)


async def test_an_encoder_that_cannot_be_closed_ends_its_thread_all_the_same(
    start: Start,
    encoder: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise OSError("half closed")

    monkeypatch.setattr(encoder, "close", broken)
    await (await start()).stop(10)
    assert "half closed" in caplog.text


async def test_time_waiting_and_running_is_told(
    start: Start, encoder: WordEncoder, gate: Gate
) -> None:
    worker = await start(batch_wait=0)
    encoder.before = gate
    first = asyncio.create_task(worker.encode(inputs("first"), Deadline.after(FAR)))
    await wait_for(gate)
    second = asyncio.create_task(worker.encode(inputs("second"), Deadline.after(FAR)))
    await asyncio.sleep(0.02)
    gate.open()
    ran, waited = await asyncio.gather(first, second)
    assert ran.running > 0.02 > ran.queued
    assert waited.queued >= 0.02


def test_the_double_is_an_encoder(encoder: WordEncoder) -> None:
    typed: Encoder = encoder
    answer = typed.encode(inputs("a b", "c"))
    assert isinstance(answer, Encoded)
    matrix: Matrix = answer.vectors
    assert matrix.shape == (2, 16)


def test_the_budget_follows_what_full_batches_take() -> None:
    budget = Budget(limit=16_384, seconds=0.25)
    for _ in range(20):
        budget.learn(budget.tokens, 0.01)
    assert budget.tokens == 16_384
    budget.learn(16_384, 0.4)
    assert budget.tokens == 10_240
    budget.learn(10, 0.001)
    assert budget.tokens == 10_240
    for _ in range(20):
        budget.learn(budget.tokens, 100.0)
    assert budget.tokens == 256
    budget.learn(256, 0.01)
    assert budget.tokens == 512


def test_a_pause_under_a_short_batch_costs_half_the_budget_at_most() -> None:
    budget = Budget(limit=16_384, seconds=0.25)
    budget.learn(12, 3.0)
    assert budget.tokens == 1024


def test_the_budget_never_passes_its_limit() -> None:
    assert Budget(limit=100, seconds=1).tokens == 100
    budget = Budget(limit=64, seconds=1)
    budget.learn(64, 1000.0)
    assert budget.tokens == 64
