"""A bulk load through the ingest processor while its sidecar is restarted: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from opensearchpy import OpenSearch

from deploy.local import RunningNode
from tests.integration.plugin.restarts import DOCUMENTS, assert_nothing_is_lost, running

from .writing import Writer


def test_every_document_is_embedded_or_reported(
    plugin_node: RunningNode, opensearch: OpenSearch, tmp_path: Path
) -> None:
    writer = Writer(opensearch, f"test-restarts-{uuid4().hex[:10]}")

    @contextmanager
    def connect() -> Iterator[Writer]:
        with OpenSearch(plugin_node.url, timeout=120, max_retries=0) as client:
            yield Writer(client, writer.index)

    with running(tmp_path / "sidecar.log") as sidecar:
        writer.prepare({"url": sidecar.url, "timeout": "20s"})
        window = {"index": {"max_result_window": DOCUMENTS}}
        opensearch.indices.put_settings(index=writer.index, body=window)
        assert_nothing_is_lost(writer, connect, sidecar)
    opensearch.indices.delete(index=writer.index)
