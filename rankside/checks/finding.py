"""What a check finds, and what checks share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from connectors.engine import Engine, EngineInfo
from connectors.meta import IndexMeta
from connectors.sidecar import SidecarClient
from plugin.ranking.wire import ModelCard
from rankside.settings import Settings

T = TypeVar("T")


class Level(StrEnum):
    """How a finding is meant."""

    GOOD = "good"
    WARNING = "warning"  # it works, and could be better
    PROBLEM = "problem"
    NOT_RUN = "not run"  # what it looks at is not there, or not asked for


class Side(StrEnum):
    """Where the remedy is to be applied."""

    SETTINGS = "settings"
    ENGINE = "engine"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a doctor's report; ``remedy`` is "" where nothing need be done."""

    name: str
    level: Level
    sentence: str
    remedy: str = ""
    side: Side = Side.ENGINE


@dataclass(slots=True)
class Case:
    """What is examined, and what the checks found out; a check's needs guarantee its inputs."""

    settings: Settings
    index: str | None
    sidecar: SidecarClient
    engine: Engine | None = None
    info: EngineInfo | None = None
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: IndexMeta | None = None
    card: ModelCard | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A small function that looks at one thing; it runs only where its needs were no problem."""

    name: str
    side: Side
    look: Callable[[Case], Awaitable[Finding]]
    needs: tuple[str, ...] = ()


def known(value: T | None) -> T:
    """A fact that an earlier check found."""
    if value is None:
        raise AssertionError("a check ran without what it needs")
    return value
