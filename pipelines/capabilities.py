"""Whether a cluster has what the wanted resources need, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.engine import Engine, EngineKind
from pipelines.mlcommons import ML
from pipelines.options import EnginePath, Part
from pipelines.resources import Resource
from plugin.ranking.errors import EngineError, EngineRejected

PLUGIN = "rankside"
LICENCES = frozenset({"enterprise", "trial"})  # those that inference endpoints are part of
INGEST_PROCESSORS = {
    EngineKind.OPENSEARCH: frozenset({"script", "text_embedding", "remove"}),
    EngineKind.ELASTICSEARCH: frozenset({"script", "inference", "remove"}),
}


async def require(engine: Engine, resources: Sequence[Resource], path: EnginePath) -> None:
    """Check that the cluster can hold ``resources``, which are those of ``path``.

    Raises:
        EngineError: it cannot; one sentence says what is missing and what can be applied.
    """
    wanted = {resource.part for resource in resources}
    missing = {part: await lacking(engine, part, path) for part in Part if part in wanted}
    lacks = [name for names in missing.values() for name in names]
    if lacks:
        rest = [part for part in missing if not missing[part] and part is not Part.CLUSTER]
        only = f", or apply the rest with --only {','.join(rest)}" if rest else ""
        unique, how = ", ".join(dict.fromkeys(lacks)), remedy(engine.kind, path)
        raise EngineError(f"this {_title(engine.kind)} cluster lacks {unique}; {how}{only}")


def remedy(kind: EngineKind, path: EnginePath) -> str:
    """How a cluster gets what ``path`` lacks there."""
    if kind is EngineKind.ELASTICSEARCH and path is EnginePath.STOCK:
        return "use Elastic's own distribution, from 8.19 or 9.1 on, with an Enterprise licence"
    return "install it"


async def lacking(engine: Engine, part: Part, path: EnginePath) -> list[str]:
    """What ``part`` needs by ``path`` and the cluster has not.

    [] where it has all, or will not say.
    """
    if path is EnginePath.CLIENT or part in {Part.TEMPLATE, Part.CLUSTER}:
        return []
    if path is EnginePath.PLUGIN:
        return await _lacking_plugin(engine)
    if engine.kind is EngineKind.ELASTICSEARCH:
        return await _lacking_inference(engine, part)
    return await _lacking_ml(engine, part)


async def has_ml_commons(engine: Engine) -> bool:
    """Whether an OpenSearch cluster has the plugin that keeps connectors and models."""
    return await _answers(engine, f"{ML}/connectors/_search")


async def has_inference(engine: Engine) -> bool:
    """Whether an Elasticsearch cluster keeps inference endpoints, licensed or not."""
    return await _answers(engine, "/_inference/_all")


async def _lacking_plugin(engine: Engine) -> list[str]:
    """A pipeline is refused while one node, of whatever role, does not know its processor."""
    nodes = await _nodes(engine, "plugins")
    without = [
        str(node.get("name"))
        for node in nodes
        if PLUGIN not in {plugin["name"] for plugin in node.get("plugins", ())}
    ]
    if not without:
        return []
    where = "any node" if len(without) == len(nodes) else f"the nodes {', '.join(sorted(without))}"
    return [f"the plugin {PLUGIN} on {where}"]


async def _lacking_ml(engine: Engine, part: Part) -> list[str]:
    missing = []
    if not await has_ml_commons(engine):
        missing.append("the plugin opensearch-ml (ml-commons)")
    if part is Part.INGEST:
        return missing + await _lacking_processors(engine)
    nodes = await _nodes(engine, "search_pipelines")
    if any("rerank" not in _types(node, "search_pipelines", "response") for node in nodes):
        missing.append("the plugin opensearch-neural-search (rerank)")
    return missing


async def _lacking_inference(engine: Engine, part: Part) -> list[str]:
    missing = await _lacking_service(engine)
    return missing + (await _lacking_processors(engine) if part is Part.INGEST else [])


async def _lacking_service(engine: Engine) -> list[str]:
    """What an endpoint of the `custom` service needs; a licence is told only where one is."""
    if not await has_inference(engine):
        return ["the _inference API"]
    missing = []
    version = (await engine.info()).version
    release = tuple(int(part) for part in version.split(".")[:2])
    if release < (8, 19) or (9, 0) <= release < (9, 1):
        missing.append(f"the inference service custom (it is {version})")
    try:
        licence = (await engine.request("GET", "/_license"))["license"]["type"]
    except (EngineRejected, KeyError):
        return missing
    if licence not in LICENCES:
        missing.append(f"a licence for inference (it has {licence})")
    return missing


async def _lacking_processors(engine: Engine) -> list[str]:
    needed = INGEST_PROCESSORS[engine.kind]
    lacks: set[str] = set()
    for node in await _nodes(engine, "ingest"):
        lacks |= needed - _types(node, "ingest", "")
    if not lacks:
        return []
    return [f"the ingest processor {name}" for name in sorted(lacks)]


async def _nodes(engine: Engine, metric: str) -> list[dict[str, Any]]:
    """What each node says of ``metric``; [] where the cluster keeps its nodes to itself."""
    try:
        answer = await engine.request("GET", f"/_nodes/{metric}")
    except EngineRejected:
        return []
    nodes: list[dict[str, Any]] = list(answer["nodes"].values())
    return nodes


def _types(node: dict[str, Any], metric: str, prefix: str) -> set[str]:
    lists: Iterable[Any] = node.get(metric, {}).items()
    found = [entry for name, entries in lists if name.startswith(prefix) for entry in entries]
    return {entry["type"] for entry in found}


async def _answers(engine: Engine, path: str) -> bool:
    """Whether there is a handler behind ``path``; a refusal for another reason is one."""
    try:
        await engine.request("GET", path)
    except EngineRejected as error:
        return "no handler found" not in str(error)
    return True


def _title(kind: EngineKind) -> str:
    return {EngineKind.OPENSEARCH: "OpenSearch", EngineKind.ELASTICSEARCH: "Elasticsearch"}[kind]
