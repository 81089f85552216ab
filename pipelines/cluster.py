"""The cluster settings that let ml-commons call the sidecar.

Facts found on a 3.6 node: a connector is checked against the trusted addresses when it is made or
changed; whether private addresses may be called is read when a model is deployed; nothing asks
`only_run_on_ml_node`, which is about local models.
"""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.engine import Engine
from pipelines.bodies import SidecarTarget
from pipelines.mlcommons import redeploy
from pipelines.options import Part
from pipelines.resources import Found, Resource

PREFIX = "plugins.ml_commons"
TRUSTED = f"{PREFIX}.trusted_connector_endpoints_regex"
PRIVATE = f"{PREFIX}.connector.private_ip_enabled"
_CALLED = ("/v1/embeddings", "/v1/rerank")
_PATH = "/_cluster/settings"


async def settings_for(
    engine: Engine, target: SidecarTarget, models: Sequence[str] = ()
) -> list[Resource]:
    """The settings as they should be for calls of ``target``; [] where the cluster has none.

    What is trusted already stays. ``models`` names those that would call it.

    Raises:
        EngineError: the cluster could not be asked.
    """
    held = await _effective(engine)
    desired: dict[str, Any] = {}
    if TRUSTED in held:
        trusted = list(held[TRUSTED])
        missing = not all(_trusts(trusted, target.at(path)) for path in _CALLED)
        desired[TRUSTED] = [*trusted, _pattern(target)] if missing else trusted
    if PRIVATE in held:
        desired[PRIVATE] = held[PRIVATE] if _public(target) else "true"
    return [ClusterSettings(desired, tuple(models))] if desired else []


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Settings of the whole cluster: never foreign, and left when the rest is destroyed."""

    desired: Mapping[str, Any]
    models: tuple[str, ...] = ()
    name: str = PREFIX
    part: Part = Part.CLUSTER
    needs: tuple[str, ...] = ()

    kind: ClassVar[str] = "cluster settings"
    holds_secret: ClassVar[bool] = False

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body."""
        return dict(body)

    async def find(self, engine: Engine) -> Found | None:
        """What holds now, whoever set it and where."""
        held = await _effective(engine)
        return Found({key: held[key] for key in self.desired if key in held}, owned=True)

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        """Set what differs."""
        return await self.update(engine, Found({}, owned=True), body)

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        """Set what differs, and deploy anew the models that would not see it."""
        changed = {key: value for key, value in body.items() if found.body.get(key) != value}
        await engine.request("PUT", _PATH, body={"persistent": changed})
        if PRIVATE in changed:
            for model in self.models:
                await redeploy(engine, model)
        return ""

    async def delete(self, engine: Engine, found: Found) -> None:
        """Nothing: another connector may live by them."""

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Nobody that Rankside knows of."""
        del engine, found
        return []


async def _effective(engine: Engine) -> dict[str, Any]:
    """The settings that hold, by their full names; those the cluster does not show are missing."""
    answer = await engine.request(
        "GET", _PATH, params={"include_defaults": "true", "flat_settings": "true"}
    )
    held: dict[str, Any] = {}
    for level in ("defaults", "persistent", "transient"):  # the weakest first
        held |= answer.get(level, {})
    return {key: held[key] for key in (TRUSTED, PRIVATE) if key in held}


def _pattern(target: SidecarTarget) -> str:
    return f"^{re.escape(target.at('/'))}.*$"


def _trusts(patterns: Sequence[str], url: str) -> bool:
    return any(_matches(pattern, url) for pattern in patterns)


def _matches(pattern: str, url: str) -> bool:
    # A pattern of Java's that Python reads otherwise or not at all: one more of ours does no harm.
    with warnings.catch_warnings(action="ignore"), suppress(re.error):
        return re.fullmatch(pattern, url) is not None
    return False


def _public(target: SidecarTarget) -> bool:
    """Whether the address cannot be a private one; a name may stand for one."""
    try:
        return ipaddress.ip_address(urlsplit(target.url).hostname or "").is_global
    except ValueError:
        return False
