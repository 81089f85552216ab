from __future__ import annotations

from typing import Any

import pytest

from pipelines.bodies import SidecarTarget
from pipelines.cluster import PRIVATE, TRUSTED, ClusterSettings, settings_for
from pipelines.planning import Action, compare, plan
from plugin.ranking.errors import EngineRejected
from tests.unit.pipelines.memory import MemoryEngine

SIDECAR = SidecarTarget("http://sidecar:8080", "m")
ELSEWHERE = "^https://api\\.elsewhere\\.example/.*$"
OURS = "^http://sidecar:8080/.*$"


def holding(engine: MemoryEngine, **levels: dict[str, Any]) -> MemoryEngine:
    """``engine`` with cluster settings by level: defaults, persistent, transient."""
    engine.answers["GET", "/_cluster/settings"] = {"persistent": {}, "transient": {}, **levels}
    return engine


async def made(engine: MemoryEngine, target: SidecarTarget = SIDECAR) -> ClusterSettings:
    (settings,) = await settings_for(engine, target)
    assert isinstance(settings, ClusterSettings)
    return settings


async def test_the_sidecar_is_added_to_what_is_trusted(engine: MemoryEngine) -> None:
    holding(engine, defaults={TRUSTED: [ELSEWHERE], PRIVATE: "false"})
    settings = await made(engine)
    assert settings.desired == {TRUSTED: [ELSEWHERE, OURS], PRIVATE: "true"}
    (change,) = (await plan(engine, [settings])).pending
    shown = [line.strip("+- ,") for line in change.diff[2:] if line[0] in "+-"]
    assert '"^http://sidecar:8080/.*$"' in shown
    assert not any("elsewhere" in line for line in shown if line == ELSEWHERE)


@pytest.mark.parametrize(
    "trusted",
    [[OURS], [ELSEWHERE, "^http://[a-z]+:8080/.*$"], [".*"], ["^http://sidecar:8080/v1/.*$"]],
)
async def test_what_trusts_the_sidecar_already_is_left(
    engine: MemoryEngine, trusted: list[str]
) -> None:
    holding(engine, defaults={TRUSTED: [], PRIVATE: "true"}, persistent={TRUSTED: trusted})
    settings = await made(engine)
    assert (await plan(engine, [settings])).pending == ()


@pytest.mark.parametrize(
    "trusted",
    [
        ["http://sidecar:8080"],  # the whole address has to match
        ["^http://sidecar:8080/v1/rerank$"],  # one of two
        ["^http://sidecarX8080/.*$"],
        ["^[[a-z]&&[^x]$"],  # Java's alone
        [],
    ],
)
async def test_what_does_not_trust_both_calls_gets_one_pattern_more(
    engine: MemoryEngine, trusted: list[str]
) -> None:
    holding(engine, defaults={TRUSTED: trusted})
    assert (await made(engine)).desired == {TRUSTED: [*trusted, OURS]}


async def test_a_dot_of_an_address_is_a_dot(engine: MemoryEngine) -> None:
    holding(engine, defaults={TRUSTED: ["^http://10.0.0.7:80/.*$"]})
    settings = await made(engine, SidecarTarget("http://10.0.0.8:80/", "m"))
    assert settings.desired[TRUSTED][-1] == "^http://10\\.0\\.0\\.8:80/.*$"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://10.0.0.8:8080", "true"),
        ("http://[::1]:8080", "true"),
        ("https://sidecar.example.com", "true"),  # may stand for a private address
        ("https://8.8.8.8", "false"),
    ],
)
async def test_private_addresses_are_allowed_where_the_sidecar_may_have_one(
    engine: MemoryEngine, url: str, wanted: str
) -> None:
    holding(engine, defaults={PRIVATE: "false"})
    assert (await made(engine, SidecarTarget(url, "m"))).desired == {PRIVATE: wanted}


async def test_the_strongest_level_is_what_holds(engine: MemoryEngine) -> None:
    levels = {"defaults": {PRIVATE: "true"}, "persistent": {PRIVATE: "true"}}
    holding(engine, **levels, transient={PRIVATE: "false"})
    settings = await made(engine)
    found = await settings.find(engine)
    assert compare(settings, found, {}).action is Action.UPDATE


async def test_a_cluster_that_keeps_its_settings_to_itself_is_not_asked_to_change(
    engine: MemoryEngine,
) -> None:
    holding(engine, defaults={"cluster.name": "managed"})
    assert await settings_for(engine, SIDECAR) == []


async def test_only_what_differs_is_written(engine: MemoryEngine) -> None:
    holding(engine, defaults={TRUSTED: [OURS], PRIVATE: "false"})
    settings = await made(engine)
    found = await settings.find(engine)
    assert found is not None
    del engine.answers["GET", "/_cluster/settings"]
    await settings.update(engine, found, settings.desired)
    assert engine.kept["/_cluster/settings"] == {"persistent": {PRIVATE: "true"}}


async def test_an_engine_that_refuses_is_not_taken_for_one_without_settings(
    engine: MemoryEngine,
) -> None:
    engine.failures["GET", "/_cluster/settings"] = EngineRejected("forbidden", status=403)
    with pytest.raises(EngineRejected):
        await settings_for(engine, SIDECAR)
