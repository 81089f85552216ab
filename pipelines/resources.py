"""Things an engine keeps under a name: how one is read, written, marked as ours, and removed.

A resource is data (its desired body) and the few calls its kind needs. Bodies refer to ids the
engine gives (`{{model rankside-embed}}`) by `ref`, filled in by `resolve` once they are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from connectors.engine import Engine
from pipelines.bodies import MARK, MARK_HEADER
from pipelines.normalise import keep_like
from pipelines.options import Part
from plugin.ranking.errors import EngineRejected

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine holds: the body as comparable with a desired one, its mark, and its id."""

    body: dict[str, Any]
    owned: bool
    id: str = ""


class Resource(Protocol):
    """One named thing. Every method raises EngineError."""

    kind: ClassVar[str]
    holds_secret: ClassVar[bool]  # which is written and never shown

    @property
    def name(self) -> str:
        """Its name in the engine."""
        ...

    @property
    def part(self) -> Part:
        """What it belongs to."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the resources that must be there before it."""
        ...

    @property
    def desired(self) -> Mapping[str, Any]:
        """Its body as sent, with references."""
        ...

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Of a body as sent, what the engine shows again: no secrets."""
        ...

    async def find(self, engine: Engine) -> Found | None:
        """What is there under its name, or None."""
        ...

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        """Make it; its id."""
        ...

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        """Make what is there as ``body``; its id."""
        ...

    async def delete(self, engine: Engine, found: Found) -> None:
        """Remove it."""
        ...

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """What of others would break without it, each as `index docs (index.default_pipeline)`."""
        ...


def key(resource: Resource) -> str:
    """How a resource is named in plans and in references."""
    return f"{resource.kind} {resource.name}"


def ref(key: str) -> str:
    """A place for the id of another resource."""
    return "{{" + key + "}}"


def resolve(value: Any, ids: Mapping[str, str]) -> Any:
    """``value`` with every reference whose id is known filled in."""
    if isinstance(value, Mapping):
        return {name: resolve(item, ids) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, ids) for item in value]
    if isinstance(value, str) and value.startswith("{{") and value.endswith("}}"):
        return ids.get(value[2:-2], value)
    return value


async def get_or_none(engine: Engine, path: str) -> Any:
    """`GET path`; None where the engine says that there is no such thing."""
    try:
        return await engine.request("GET", path)
    except EngineRejected as error:
        if error.status == NOT_FOUND:
            return None
        raise


@dataclass(frozen=True, slots=True)
class _Put:
    """What resources have in common that are written by `PUT /path/name`."""

    name: str
    part: Part
    desired: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    path: ClassVar[str]
    holds_secret: ClassVar[bool] = False

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(body)

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        await engine.request("PUT", f"{self.path}/{self.name}", body=dict(body))
        return self.name

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        del found  # a PUT replaces whatever it was
        return await self.create(engine, body)

    async def delete(self, engine: Engine, found: Found) -> None:
        del found
        await engine.request("DELETE", f"{self.path}/{self.name}")

    async def users(self, engine: Engine, found: Found) -> list[str]:
        del engine, found
        return []


@dataclass(frozen=True, slots=True)
class IndexTemplate(_Put):
    """A composable index template; new indices get its body, present ones keep theirs."""

    kind: ClassVar[str] = "index template"
    path: ClassVar[str] = "/_index_template"

    async def find(self, engine: Engine) -> Found | None:
        """What is there under its name."""
        answer = await get_or_none(engine, f"{self.path}/{self.name}")
        if not answer or not answer.get("index_templates"):
            return None
        body = dict(answer["index_templates"][0]["index_template"])
        for added in ("created_date_millis", "modified_date_millis"):
            body.pop(added, None)
        return Found(body, body.get("_meta", {}).get("managed_by") == "rankside", self.name)


@dataclass(frozen=True, slots=True)
class IngestPipeline(_Put):
    """An ingest pipeline; marked in `_meta` where the engine keeps one, else in its description."""

    kind: ClassVar[str] = "ingest pipeline"
    path: ClassVar[str] = "/_ingest/pipeline"

    async def find(self, engine: Engine) -> Found | None:
        """What is there under its name."""
        answer = await get_or_none(engine, f"{self.path}/{self.name}")
        return _pipeline(answer, self.name)

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Indices that name it in their settings."""
        del found
        return await _indices_naming(
            engine, self.name, ("index.default_pipeline", "index.final_pipeline")
        )


@dataclass(frozen=True, slots=True)
class SearchPipeline(_Put):
    """An OpenSearch search pipeline; marked in its description."""

    kind: ClassVar[str] = "search pipeline"
    path: ClassVar[str] = "/_search/pipeline"

    async def find(self, engine: Engine) -> Found | None:
        """What is there under its name."""
        answer = await get_or_none(engine, f"{self.path}/{self.name}")
        return _pipeline(answer, self.name)

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Indices that name it in their settings."""
        del found
        return await _indices_naming(engine, self.name, ("index.search.default_pipeline",))


@dataclass(frozen=True, slots=True)
class InferenceEndpoint(_Put):
    """An Elasticsearch inference endpoint; marked by a request header, the one free place."""

    task: str = field(kw_only=True)

    kind: ClassVar[str] = "inference endpoint"
    holds_secret: ClassVar[bool] = True

    @property
    def _place(self) -> str:
        return f"/_inference/{self.task}/{self.name}"

    def comparable(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """All but the secrets, which the engine never shows."""
        settings = dict(body["service_settings"])
        settings.pop("secret_parameters", None)
        return {"service": body["service"], "service_settings": settings}

    async def find(self, engine: Engine) -> Found | None:
        """What is there under its name."""
        answer = await get_or_none(engine, f"/_inference/{self.name}")
        if not answer or not answer.get("endpoints"):
            return None
        endpoint = answer["endpoints"][0]
        settings = endpoint.get("service_settings", {})
        headers = settings.get("headers", {})
        owned = headers.get(MARK_HEADER) == "rankside"
        # What we do not set are the service's defaults, of which there are more every release.
        shown = keep_like(settings, self.desired["service_settings"])
        if "headers" in shown:
            shown["headers"] = headers  # a key that is sent no longer is a difference
        body = {"service": endpoint.get("service"), "service_settings": shown}
        return Found(body, owned and endpoint.get("task_type") == self.task, self.name)

    async def create(self, engine: Engine, body: Mapping[str, Any]) -> str:
        """Make it; the engine calls the sidecar once to see that it answers."""
        await engine.request("PUT", self._place, body=dict(body))
        return self.name

    async def update(self, engine: Engine, found: Found, body: Mapping[str, Any]) -> str:
        """Remove it and make it again."""
        # A PUT of a present endpoint is refused, and an update reaches few of its settings.
        await self.delete(engine, found)
        return await self.create(engine, body)

    async def delete(self, engine: Engine, found: Found) -> None:
        """Remove it, whoever names it."""
        del found
        # Without force it is refused while a pipeline names it, which ours does until replaced.
        await engine.request("DELETE", self._place, params={"force": "true"})

    async def users(self, engine: Engine, found: Found) -> list[str]:
        """Pipelines that name it and are not ours, and indices with a field that does."""
        del found
        answer = await engine.request("DELETE", self._place, params={"dry_run": "true"})
        users = []
        for name in sorted(answer.get("pipelines", ())):
            pipeline = await IngestPipeline(name, self.part, {}).find(engine)
            if pipeline is None or not pipeline.owned:
                users.append(f"ingest pipeline {name}")
        return users + [
            f"index {name} (semantic_text)" for name in sorted(answer.get("indexes", ()))
        ]


def _pipeline(answer: Any, name: str) -> Found | None:
    if not answer or name not in answer:
        return None
    body = dict(answer[name])
    for added in ("created_date_millis", "modified_date_millis"):
        body.pop(added, None)
    in_meta = (body.get("_meta") or {}).get("managed_by") == "rankside"
    return Found(body, in_meta or MARK in body.get("description", ""), name)


async def _indices_naming(engine: Engine, name: str, settings: tuple[str, ...]) -> list[str]:
    """Indices of which one of ``settings`` is ``name``."""
    answer = await engine.request(
        "GET",
        f"/_all/_settings/{','.join(settings)}",
        params={"flat_settings": "true", "expand_wildcards": "all"},
    )
    return [
        f"index {index} ({setting})"
        for index, found in sorted(answer.items())
        for setting in settings
        if found["settings"].get(setting) == name
    ]
