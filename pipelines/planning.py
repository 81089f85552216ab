"""What would have to change, resource by resource; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.engine import Engine
from pipelines.normalise import diff, normalise
from pipelines.resources import Found, Resource, key, resolve


class Action(StrEnum):
    """What a plan says of one resource."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"  # there under the name, without Rankside's mark: never touched
    DELETE = "delete"
    ABSENT = "absent"
    IN_USE = "in use"  # to be deleted, but something would break


PENDING = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE})


@dataclass(frozen=True, slots=True)
class Change:
    """One resource: what is to be done, what is there, what is wanted (both as compared)."""

    resource: Resource
    action: Action
    found: Found | None
    desired: dict[str, Any] | None
    reason: str = ""

    @property
    def key(self) -> str:
        """The resource's kind and name."""
        return key(self.resource)

    @property
    def diff(self) -> list[str]:
        """Unified diff, one string a line, from what is there to what is wanted."""
        return diff(self.actual, self.desired)

    @property
    def actual(self) -> dict[str, Any] | None:
        """What is there, in the form that is compared."""
        return None if self.found is None else _shown(self.found.body)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every resource asked for, in the order of application."""

    changes: tuple[Change, ...]

    @property
    def pending(self) -> tuple[Change, ...]:
        """What there is to do."""
        return tuple(change for change in self.changes if change.action in PENDING)

    @property
    def foreign(self) -> tuple[Change, ...]:
        """What is there under our names and is not ours."""
        return tuple(change for change in self.changes if change.action is Action.FOREIGN)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What else is wanted: to take over what is foreign, to write secrets that may have changed."""

    adopt: bool = False
    refresh_secrets: bool = False


NO_WISHES = Wishes()


async def plan(engine: Engine, resources: Sequence[Resource], wishes: Wishes = NO_WISHES) -> Plan:
    """Compare ``resources`` with what ``engine`` holds.

    Raises:
        EngineError: the engine could not be asked.
    """
    ids: dict[str, str] = {}
    changes = []
    for resource in resources:
        found = await resource.find(engine)
        change = compare(resource, found, ids, wishes)
        if found is not None and change.action is not Action.FOREIGN:
            ids[change.key] = found.id
        changes.append(change)
    return Plan(tuple(changes))


def compare(
    resource: Resource, found: Found | None, ids: dict[str, str], wishes: Wishes = NO_WISHES
) -> Change:
    """One resource's change, with the ids of others that are known."""
    desired = _shown(resolve(resource.comparable(resource.desired), ids))
    if found is None:
        return Change(resource, Action.CREATE, None, desired)
    if not found.owned and not wishes.adopt:
        reason = (
            f"{key(resource)} is there and is not Rankside's; choose another --name, remove it, "
            "or take it over with --adopt"
        )
        return Change(resource, Action.FOREIGN, found, desired, reason)
    if wishes.refresh_secrets and resource.holds_secret:
        return Change(resource, Action.UPDATE, found, desired, "its secret is written again")
    same = found.owned and _shown(found.body) == desired
    return Change(resource, Action.UNCHANGED if same else Action.UPDATE, found, desired)


async def plan_removal(engine: Engine, resources: Sequence[Resource]) -> Plan:
    """What of ``resources`` is ours and can go, in the order of removal.

    Raises:
        EngineError: the engine could not be asked.
    """
    stays: dict[str, str] = {}
    changes = []
    for resource in reversed(resources):
        change = await _removal(engine, resource, stays.get(key(resource)))
        if change.action is Action.IN_USE:
            stays |= dict.fromkeys(resource.needs, change.key)
        changes.append(change)
    return Plan(tuple(changes))


async def _removal(engine: Engine, resource: Resource, stayer: str | None) -> Change:
    found = await resource.find(engine)
    if found is None:
        return Change(resource, Action.ABSENT, None, None)
    if not found.owned:
        reason = f"{key(resource)} is not Rankside's and stays"
        return Change(resource, Action.FOREIGN, found, _shown(found.body), reason)
    users = [stayer] if stayer else await resource.users(engine, found)
    if users:
        reason = f"{key(resource)} is used by {', '.join(users)}; change that first"
        return Change(resource, Action.IN_USE, found, _shown(found.body), reason)
    return Change(resource, Action.DELETE, found, None)


def _shown(body: Any) -> dict[str, Any]:
    shown: dict[str, Any] = normalise(body)
    return shown
