"""From options to an engine: which kind it is, and the client for it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from connectors.elasticsearch import ElasticsearchEngine
from connectors.engine import Engine, local_node
from connectors.opensearch import OpenSearchEngine
from connectors.options import EngineKind, EngineOptions
from plugin.ranking.errors import SettingsError

_ENGINES = {
    EngineKind.OPENSEARCH: OpenSearchEngine,
    EngineKind.ELASTICSEARCH: ElasticsearchEngine,
}


async def connect(options: EngineOptions) -> Engine:
    """An engine for ``options``; ``auto`` asks the cluster once which kind it is.

    Raises:
        SettingsError: no address is set, or the options contradict each other.
        EngineUnavailable: nobody answers at the address.
        EngineRejected: the cluster refuses us.
    """
    if options.url is None:
        raise SettingsError("no engine address is set; give --url or set RANKSIDE_ENGINE__URL")
    if options.kind != "auto":
        return _ENGINES[options.kind](options)
    # This client looks at no product header, so that it can ask either.
    engine = OpenSearchEngine(options)
    async with AsyncExitStack() as undo:
        undo.push_async_callback(engine.close)
        if await _kind(engine) is EngineKind.OPENSEARCH:
            undo.pop_all()
            return engine
    return ElasticsearchEngine(options)


async def _kind(engine: Engine) -> EngineKind:
    """Nodes of both say what they are; only Elasticsearch's have a build flavour."""
    node = await local_node(engine)
    if node.get("distribution") == "opensearch" or "build_flavor" not in node:
        return EngineKind.OPENSEARCH
    return EngineKind.ELASTICSEARCH
