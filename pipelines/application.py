"""Carry a plan out: in order, going on where one resource fails, and checked afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from connectors.engine import Engine
from pipelines.planning import Action, Change, Plan, plan
from pipelines.resources import resolve
from plugin.ranking.errors import EngineError, PartlyDone, UsageError

_DUPLICATES = 20  # ml-commons lets several things have one name; more than this is not our doing


class Outcome(StrEnum):
    """What became of one change."""

    DONE = "done"
    FAILED = "failed"
    NOT_RUN = "not run"  # what it needs failed


@dataclass(frozen=True, slots=True)
class Step:
    """One change and what became of it; ``error`` is a sentence, or ""."""

    change: Change
    outcome: Outcome
    error: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The steps of one application, in order; ``drift`` lists what differs still after it."""

    steps: tuple[Step, ...]
    drift: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Step, ...]:
        """Steps that were not done."""
        return tuple(step for step in self.steps if step.outcome is not Outcome.DONE)

    def raise_if_incomplete(self) -> None:
        """Say in one sentence what is not done.

        Raises:
            EngineError: nothing is done, or the engine keeps something else than was sent.
            PartlyDone: some is.
        """
        if self.failed:
            first = next(step for step in self.failed if step.error)
            rest = f"{len(self.steps) - len(self.failed)} of {len(self.steps)} changes are done"
            sentence = f"{first.change.key}: {first.error}"
            if len(self.failed) == len(self.steps):
                raise EngineError(sentence)
            raise PartlyDone(f"{sentence} ({rest}; run the same command again to continue)")
        if self.drift:
            raise EngineError(
                f"the engine keeps {', '.join(self.drift)} differently from what was sent; "
                "`rankside plan` shows how"
            )


OnStep = Callable[[Step], None]


def _ignore(_step: Step) -> None:
    """Nobody watches."""


async def apply(engine: Engine, planned: Plan, *, on_step: OnStep = _ignore) -> Report:
    """Create and update what ``planned`` says, then plan again to see that it is so.

    A change whose needs failed is not run; the others are. Nothing foreign is ever touched.

    Raises:
        UsageError: something foreign has one of our names; nothing was done.
    """
    if planned.foreign:
        raise UsageError("; ".join(change.reason for change in planned.foreign))
    ids = {change.key: change.found.id for change in planned.changes if change.found}
    steps: list[Step] = []
    broken: set[str] = set()
    for change in planned.pending:
        step = await _write(engine, change, ids, broken)
        steps.append(step)
        on_step(step)
        if step.outcome is not Outcome.DONE:
            broken.add(change.key)
    return Report(tuple(steps), () if broken else await _drift(engine, planned))


async def remove(engine: Engine, planned: Plan, *, on_step: OnStep = _ignore) -> Report:
    """Remove what a plan of removal says; what a thing needs that could not go stays as well."""
    steps: list[Step] = []
    kept: set[str] = set()
    for change in planned.pending:
        step = await _remove(engine, change, kept)
        steps.append(step)
        on_step(step)
        if step.outcome is not Outcome.DONE:
            kept.update(change.resource.needs)
    return Report(tuple(steps))


async def _write(engine: Engine, change: Change, ids: dict[str, str], broken: set[str]) -> Step:
    missing = [need for need in change.resource.needs if need in broken]
    if missing:
        return Step(change, Outcome.NOT_RUN, f"it needs {missing[0]}")
    body = resolve(change.resource.desired, ids)
    try:
        if change.found is None:
            ids[change.key] = await change.resource.create(engine, body)
        else:
            ids[change.key] = await change.resource.update(engine, change.found, body)
    except EngineError as error:
        return Step(change, Outcome.FAILED, str(error))
    return Step(change, Outcome.DONE)


async def _remove(engine: Engine, change: Change, kept: set[str]) -> Step:
    if change.key in kept:
        return Step(change, Outcome.NOT_RUN, "something that needs it stays")
    found = change.found
    try:
        for _ in range(_DUPLICATES):
            if found is None or not found.owned:
                break
            await change.resource.delete(engine, found)
            found = await change.resource.find(engine)
    except EngineError as error:
        return Step(change, Outcome.FAILED, str(error))
    return Step(change, Outcome.DONE)


async def _drift(engine: Engine, planned: Plan) -> tuple[str, ...]:
    again = await plan(engine, [change.resource for change in planned.changes])
    return tuple(change.key for change in again.changes if change.action is not Action.UNCHANGED)
