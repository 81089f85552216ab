"""A bulk load through the ingest processor while its sidecar is restarted: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from elasticsearch import Elasticsearch

from deploy.local import RunningNode
from tests.integration.plugin.restarts import DOCUMENTS, assert_nothing_is_lost, running

from .writing import Writer


def test_every_document_is_embedded_or_reported(
    start_plugin_node: Callable[..., RunningNode], tmp_path: Path
) -> None:
    with running(tmp_path / "sidecar.log") as sidecar:
        node = start_plugin_node(sidecar.url)

        @contextmanager
        def connect() -> Iterator[Writer]:
            with Elasticsearch(node.url, request_timeout=120, max_retries=0) as client:
                yield Writer(client, "test-restarts")

        with connect() as writer:
            writer.prepare({"timeout": "20s"})
            window = {"index": {"max_result_window": DOCUMENTS}}
            writer.client.indices.put_settings(index=writer.index, settings=window)
            assert_nothing_is_lost(writer, connect, sidecar)
