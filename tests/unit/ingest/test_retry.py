from __future__ import annotations

import pytest

from ingest.retry import patiently
from plugin.ranking.errors import (
    EngineRejected,
    EngineUnavailable,
    ModelOutputError,
    Overloaded,
    RanksideError,
    SidecarRejected,
    SidecarUnavailable,
)


class Failing:
    """Fails with each of ``errors``, then answers."""

    def __init__(self, *errors: RanksideError) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.retried = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def note(self) -> None:
        self.retried += 1


TRANSIENT = [
    EngineUnavailable("away"),
    EngineRejected("busy", status=429),
    EngineRejected("no primary", status=503),
    SidecarUnavailable("away"),
    SidecarRejected("draining", status=503),
    Overloaded("queue", retry_after=0.01),
]
FINAL = [
    EngineRejected("no", status=400),
    EngineRejected("who", status=401),
    SidecarRejected("no", status=422),
    ModelOutputError("NaN"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
async def test_what_may_pass_is_tried_again(error: RanksideError) -> None:
    call = Failing(error, error)

    assert await patiently(call, patience=60, retried=call.note) == "answer"
    assert (call.calls, call.retried) == (3, 2)


@pytest.mark.parametrize("error", FINAL, ids=repr)
async def test_what_will_not_pass_is_told_at_once(error: RanksideError) -> None:
    call = Failing(error)

    with pytest.raises(type(error)):
        await patiently(call, patience=60, retried=call.note)
    assert call.calls == 1


async def test_patience_has_an_end() -> None:
    call = Failing(*[EngineUnavailable("away")] * 50)

    with pytest.raises(EngineUnavailable):
        await patiently(call, patience=0.3, retried=call.note)
    assert 1 < call.calls < 10


async def test_a_wait_that_is_longer_than_patience_is_not_begun() -> None:
    call = Failing(Overloaded("queue", retry_after=3600))

    with pytest.raises(Overloaded):
        await patiently(call, patience=60, retried=call.note)
    assert call.calls == 1
