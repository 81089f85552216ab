"""OpenSearch's ml-commons: connectors and remote models, which have ids beside their names.

Facts found on a 3.6 node: a connector cannot change while a model behind it is deployed; a predict
deploys an undeployed remote model by itself; an update merges `parameters`; registering a model
makes a model group of its name, which stays when the model is deleted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.engine import Engine
from pipelines.bodies import MARK
from pipelines.normalise import keep
from pipelines.options import Part
from pipelines.resources import NOT_FOUND, Found, get_or_none
from plugin.ranking.errors import EngineError, EngineRejected

ML = "/_plugins/_ml"
CONFLICT = 409
_POLL = 0.2  # seconds
_PATIENCE = 60.0  # seconds for a remote model, of which nothing is loaded
_DEPLOYED = {"DEPLOYED", "PARTIALLY_DEPLOYED"}


@dataclass(frozen=True, slots=True)
class Connector:
    """How the engine calls one of the sidecar's addresses."""

    name: str
    part: Part
    desired: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    kind: ClassVar[str] = "ml-commons connector"
    holds_secret: ClassVar[bool] = True

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """All but the credential, which the engine never shows."""
        return {name: value for name, value in body.items() if name != "credential"}

    async def find(self, engine: Engine) -> Found | None:
        """The connector of this name; ours before another's."""
        hit = await _named(engine, "connectors", self.name)
        if hit is None:
            return None
        source = hit["_source"]
        body = keep(source, self.comparable(self.desired))
        for table in ("client_config", "parameters"):
            # The engine adds defaults to the one and merges updates into the other.
            body[table] = keep(source.get(table) or {}, self.desired[table])
        return Found(body, _marked(source), hit["_id"])

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        """Make it; its id."""
        try:
            answer = await engine.request("POST", f"{ML}/connectors/_create", body=dict(body))
        except EngineRejected as error:
            raise _explained(error, body) from error
        return str(answer["connector_id"])

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        """Change it in place, the models behind it undeployed meanwhile."""
        models = await _models_behind(engine, found.id)

        async def changed() -> str | None:
            for model in models:
                await engine.request("POST", f"{ML}/models/{model}/_undeploy")
            try:
                await engine.request("PUT", f"{ML}/connectors/{found.id}", body=dict(body))
            except EngineRejected as error:
                # The undeployed state takes a moment to be seen, and a predict ends it.
                if "undeploy the models" in str(error):
                    return None
                raise _explained(error, body) from error
            return found.id

        await _until(changed, "undeployed")
        for model in models:
            await _deploy(engine, model)
        return found.id

    async def delete(self, engine: Engine, found: Found) -> None:
        """Remove it, and models of ours still behind it; refused while somebody else's is.

        The engine looks for models by a search, and was seen to find one it had just removed.
        """

        async def deleted() -> str | None:
            try:
                await engine.request("DELETE", f"{ML}/connectors/{found.id}")
            except EngineRejected as error:
                if error.status != CONFLICT or await self.users(engine, found):
                    raise
                for model in await _models_behind(engine, found.id):
                    await _delete_model(engine, model)
                return None
            return found.id

        await _until(deleted, "removed")

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Models behind it that are not ours."""
        models = await _hits(engine, "models", "connector_id", found.id)
        sources = [model["_source"] for model in models]
        return [f"model {source['name']}" for source in sources if not _marked(source)]


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model behind a connector, registered and deployed."""

    name: str
    part: Part
    desired: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    kind: ClassVar[str] = "ml-commons model"
    holds_secret: ClassVar[bool] = False

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body, and that it is to be deployed."""
        return {**body, "deployed": True}

    async def find(self, engine: Engine) -> Found | None:
        """The model of this name; ours before another's."""
        hit = await _named(engine, "models", self.name)
        if hit is None:
            return None
        source = hit["_source"]
        body = {
            "name": source.get("name"),
            "function_name": str(source.get("algorithm", "")).lower(),
            "description": source.get("description"),
            "connector_id": source.get("connector_id"),
            "deployed": source.get("model_state") in _DEPLOYED,
        }
        return Found(body, _marked(source), hit["_id"])

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        """Register and deploy it; its id."""
        answer = await engine.request(
            "POST", f"{ML}/models/_register", params={"deploy": "true"}, body=dict(body)
        )
        model = await _registered(engine, answer["task_id"])
        await _deployed(engine, model)
        return model

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        """Change it in place and deploy it; its id stays."""
        changes = {name: body[name] for name in ("name", "description", "connector_id")}
        await engine.request("PUT", f"{ML}/models/{found.id}", body=changes)
        await _deploy(engine, found.id)
        return found.id

    async def delete(self, engine: Engine, found: Found) -> None:
        """Undeploy and remove it, and its model group where it is ours and empty."""
        await _delete_model(engine, found.id)

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Pipelines that name its id and are not ours."""
        users = []
        for path in ("_ingest/pipeline", "_search/pipeline"):
            pipelines = await get_or_none(engine, f"/{path}") or {}
            users += [
                f"{path} {name}"
                for name, body in sorted(pipelines.items())
                if found.id in json.dumps(body) and not _marked(body)
            ]
        return users


async def redeploy(engine: Engine, name: str) -> None:
    """Deploy our model of this name anew, where there is one that takes calls."""
    found = await RemoteModel(name, Part.INGEST, {}).find(engine)
    if found is None or not found.owned or not found.body["deployed"]:
        return
    await engine.request("POST", f"{ML}/models/{found.id}/_undeploy")

    async def undeployed() -> str | None:
        model = await engine.request("GET", f"{ML}/models/{found.id}")
        return None if model["model_state"] in _DEPLOYED else str(model["model_state"])

    await _until(undeployed, "undeployed")
    await _deploy(engine, found.id)


async def _named(engine: Engine, what: str, name: str) -> dict[str, Any] | None:
    hits = await _hits(engine, what, "name", name)
    return next((hit for hit in hits if _marked(hit["_source"])), hits[0] if hits else None)


async def _hits(engine: Engine, what: str, field: str, value: str) -> list[dict[str, Any]]:
    """Connectors or models, oldest first; [] also where none was ever made."""
    # Some releases index the field as text and some as keyword; a phrase finds it in both.
    # Chunks of local models lie in the same index and have the model's name.
    phrase = {"match_phrase": {field: value}}
    query = {"bool": {"filter": [phrase], "must_not": [{"exists": {"field": "chunk_number"}}]}}
    answer = await engine.request(
        "POST", f"{ML}/{what}/_search", body={"size": 100, "version": True, "query": query}
    )
    hits = [hit for hit in answer["hits"]["hits"] if hit["_source"].get(field) == value]
    return sorted(hits, key=lambda hit: int(hit["_source"].get("created_time", 0)))


async def _models_behind(engine: Engine, connector_id: str) -> list[str]:
    return [hit["_id"] for hit in await _hits(engine, "models", "connector_id", connector_id)]


def _marked(source: Mapping[str, Any]) -> bool:
    return MARK in (source.get("description") or "")


async def _registered(engine: Engine, task_id: str) -> str:
    """Wait for a registration; the model's id."""

    async def model_id() -> str | None:
        task = await engine.request("GET", f"{ML}/tasks/{task_id}")
        if task["state"] in {"FAILED", "COMPLETED_WITH_ERROR"}:
            raise EngineError(f"ml-commons could not register the model: {task.get('error')}")
        return str(task["model_id"]) if task["state"] == "COMPLETED" else None

    return await _until(model_id, "registered")


async def _deploy(engine: Engine, model_id: str) -> None:
    await engine.request("POST", f"{ML}/models/{model_id}/_deploy")
    await _deployed(engine, model_id)


async def _deployed(engine: Engine, model_id: str) -> None:
    """Wait until a model takes calls."""

    async def state() -> str | None:
        model = await engine.request("GET", f"{ML}/models/{model_id}")
        if model["model_state"] == "DEPLOY_FAILED":
            raise EngineError(
                "ml-commons could not deploy the model; the node's log says why, often "
                "plugins.ml_commons.only_run_on_ml_node without an ml node"
            )
        return model["model_state"] if model["model_state"] in _DEPLOYED else None

    await _until(state, "deployed")


async def _until(check: Callable[[], Awaitable[str | None]], what: str) -> str:
    """The first answer of ``check`` that is not None."""
    deadline = time.monotonic() + _PATIENCE
    while (answer := await check()) is None:
        if time.monotonic() > deadline:
            raise EngineError(
                f"the model was not {what} within {_PATIENCE:.0f} s; look at the node's log, then "
                "run `rankside apply` again"
            )
        await asyncio.sleep(_POLL)
    return answer


async def _delete_model(engine: Engine, model_id: str) -> None:
    """Undeploy and remove a model, if it is there, and its group where that is ours and empty."""
    source = await get_or_none(engine, f"{ML}/models/{model_id}")
    if source is None:
        return
    await engine.request("POST", f"{ML}/models/{model_id}/_undeploy")
    await engine.request("DELETE", f"{ML}/models/{model_id}")
    await _delete_group(engine, source.get("model_group_id"))


async def _delete_group(engine: Engine, group_id: str | None) -> None:
    if group_id is None:
        return
    try:
        group = await engine.request("GET", f"{ML}/model_groups/{group_id}")
        if _marked(group):
            await engine.request("DELETE", f"{ML}/model_groups/{group_id}")
    except EngineRejected as error:
        # Gone already, or another model is in it.
        if error.status not in {NOT_FOUND, CONFLICT}:
            raise


def _explained(error: EngineRejected, body: Mapping[str, Any]) -> EngineError:
    """A refusal with its remedy, where there is one."""
    text = str(error)
    if "trusted connector endpoint" in text:
        url = body["actions"][0]["url"]
        return EngineRejected(
            f"the cluster does not trust {url}: `rankside apply --path stock --only cluster` adds "
            "it to plugins.ml_commons.trusted_connector_endpoints_regex",
            status=error.status,
            kind=error.kind,
        )
    if "private" in text.lower():
        return EngineRejected(
            f"{text}; `rankside apply --path stock --only cluster` sets "
            "plugins.ml_commons.connector.private_ip_enabled",
            status=error.status,
            kind=error.kind,
        )
    return error
