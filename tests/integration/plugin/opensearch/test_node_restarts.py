"""The node is restarted under searches and documents that wait for its sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opensearchpy import OpenSearch, TransportError

from tests.doubles import WordEncoder
from tests.integration.plugin.embedding import META
from tests.integration.plugin.failing import LONG
from tests.integration.plugin.node_restarts import (
    MOST,
    Connected,
    assert_restarts_are_survived,
    word_sidecar,
    word_vectors,
)
from tests.integration.plugin.opensearch.conftest import HEAP, index_articles
from tests.integration.plugin.opensearch.failing import PIPELINE, Failing
from tests.integration.plugin.opensearch.searching import put_pipeline
from tests.integration.plugin.opensearch.writing import Writer
from tests.nodes import restartable


def test_searches_break_off_and_no_document_is_lost(plugin_zip: Path) -> None:
    encoder = WordEncoder()
    with (
        word_sidecar(encoder) as url,
        restartable("opensearch", plugin=plugin_zip, heap=HEAP) as node,
    ):

        @contextmanager
        def connect() -> Iterator[Connected]:
            with OpenSearch(node.node.url, timeout=60, max_retries=0) as client:
                yield Connected(Failing(client, "articles"), Writer(client, "written"))

        with OpenSearch(node.node.url, timeout=60) as client:
            index_articles(client, "articles", 1, META, word_vectors())
            client.indices.flush(index="articles")  # so that ties stay as they are
            put_pipeline(client, PIPELINE, url=url, timeout=LONG)
            Writer(client, "written").prepare({"url": url, "timeout": LONG})
            window = {"index": {"max_result_window": MOST}}
            client.indices.put_settings(index="written", body=window)
        assert_restarts_are_survived(node, encoder, connect, (TransportError,))
