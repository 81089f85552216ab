"""What ingest and backfill work with: an engine, and who makes the vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.connect import connect
from connectors.engine import Engine
from ingest.embedders import DocumentEmbedder, InProcessEmbedder, SidecarEmbedder
from plugin.ranking.errors import SettingsError
from rankside.access import client_options, engine_options
from rankside.settings import Settings


@asynccontextmanager
async def engine_and_embedder(
    settings: Settings,
    *,
    url: str | None,
    sidecar: str | None,
    in_process: bool,
    parallel: int,
) -> AsyncIterator[tuple[Engine, DocumentEmbedder]]:
    """Both, connected, and closed in the end.

    Raises:
        SettingsError: the options contradict each other, or no engine is known.
        EngineError: the engine cannot be reached.
        SidecarError: the sidecar cannot be reached.
    """
    if in_process and sidecar is not None:
        raise SettingsError("--sidecar and --in-process contradict each other; give one")
    engine = await connect(engine_options(settings, url))
    try:
        embedder: DocumentEmbedder
        if in_process:
            embedder = InProcessEmbedder(settings.model)
        else:
            client = client_options(settings, sidecar)
            embedder = await SidecarEmbedder.connect(client, parallel=parallel)
        try:
            yield engine, embedder
        finally:
            await embedder.close()
    finally:
        await engine.close()
