from __future__ import annotations

import asyncio

import pytest

from evaluation.timing import Budget, Sample, interleaved, timed


def test_a_sample_has_its_spread() -> None:
    sample = Sample.of([1.0, 2.0, 3.0, 4.0, 5.0], 0.01)
    assert (sample.n, sample.median, sample.q1, sample.q3) == (5, 3.0, 2.0, 4.0)
    assert sample.p95 == pytest.approx(4.8)
    assert sample.to_json()["per_second"] == 500.0


def test_nothing_timed_is_no_sample() -> None:
    with pytest.raises(ValueError, match="no call"):
        Sample.of([], 1.0)


async def test_warm_calls_are_made_and_not_counted() -> None:
    numbers: list[int] = []

    async def call(number: int) -> None:
        numbers.append(number)

    sample = await timed(call, Budget(calls=6, seconds=60), warm=3)
    assert sample.n == 6
    assert numbers == list(range(9))


async def test_at_most_so_many_calls_are_under_way() -> None:
    under_way, most = 0, 0

    async def call(_number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    sample = await timed(call, Budget(calls=20, seconds=60), concurrency=4)
    assert (sample.n, most) == (20, 4)


async def test_the_least_number_of_calls_is_made_however_long_they_take() -> None:
    async def call(_number: int) -> None:
        await asyncio.sleep(0)

    assert (await timed(call, Budget(calls=50, seconds=0, least=7))).n == 7


async def test_calls_take_turns_and_none_is_always_first() -> None:
    order: list[str] = []

    async def one(number: int) -> None:
        order.append(f"one {number}")

    async def two(number: int) -> None:
        order.append(f"two {number}")

    found = await interleaved({"one": one, "two": two}, Budget(calls=2, seconds=60), warm=1)
    assert order == ["one 0", "two 0", "two 1", "one 1", "one 2", "two 2"]
    assert {name: sample.n for name, sample in found.items()} == {"one": 2, "two": 2}
