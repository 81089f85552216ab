"""The node is restarted under searches and documents that wait for its sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elasticsearch import ApiError, TransportError

from tests.doubles import WordEncoder
from tests.integration.plugin.elasticsearch.conftest import HEAP, URL, client_of, index_articles
from tests.integration.plugin.elasticsearch.failing import Failing
from tests.integration.plugin.elasticsearch.writing import Writer
from tests.integration.plugin.embedding import META
from tests.integration.plugin.failing import LONG
from tests.integration.plugin.node_restarts import (
    MOST,
    Connected,
    assert_restarts_are_survived,
    word_sidecar,
    word_vectors,
)
from tests.nodes import restartable


def test_searches_break_off_and_no_document_is_lost(plugin_zip: Path) -> None:
    encoder = WordEncoder()
    with (
        word_sidecar(encoder) as url,
        restartable("elasticsearch", plugin=plugin_zip, heap=HEAP, settings={URL: [url]}) as node,
    ):

        @contextmanager
        def connect() -> Iterator[Connected]:
            with client_of(node.node, max_retries=0) as client:
                yield Connected(Failing(client, "articles"), Writer(client, "written"))

        with client_of(node.node) as client:
            index_articles(client, "articles", 1, META, word_vectors())
            client.indices.flush(index="articles")  # so that ties stay as they are
            Writer(client, "written").prepare({"timeout": LONG})
            window = {"index": {"max_result_window": MOST}}
            client.indices.put_settings(index="written", settings=window)
        assert_restarts_are_survived(node, encoder, connect, (ApiError, TransportError))
