"""A real OpenSearch with the plugin, and an index that the sidecar's model embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from deploy import local
from deploy.local import RunningNode
from pipelines.definitions import index_body
from plugin.models.encoder import Encoder
from tests.articles import FIELDS, article_documents
from tests.fake_sidecar import FakeSidecar, faking
from tests.integration.plugin.shared import UNHURRIED, Articles
from tests.nodes import own_node

HEAP = "512m"

StartNode = Callable[..., RunningNode]


@pytest.fixture(scope="session")
def plugin_zip() -> Path:
    """The plugin of this checkout."""
    return local.build_plugin()


@pytest.fixture(scope="session")
def plugin_node(plugin_zip: Path) -> Iterator[RunningNode]:
    """A node with the plugin, installed by the engine's own tool, shared by the run's tests."""
    with own_node("opensearch", plugin=plugin_zip, heap=HEAP, settings=UNHURRIED) as node:
        yield node


@pytest.fixture
def start_plugin_node(plugin_zip: Path) -> Iterator[StartNode]:
    """Starts a node with the plugin and ``settings`` of the test's own; stopped after the test.

    ``keys`` are bearer keys of sidecars by name, for the node's keystore; ``files`` are copied into
    its configuration folder.
    """
    with ExitStack() as nodes:

        def start(
            settings: Mapping[str, object] | None = None,
            keys: Mapping[str, str] | None = None,
            files: Iterable[Path] = (),
        ) -> RunningNode:
            secrets = {f"rankside.auth.{name}.key": key for name, key in (keys or {}).items()}
            return nodes.enter_context(
                own_node(
                    "opensearch",
                    plugin=plugin_zip,
                    heap=HEAP,
                    settings={**UNHURRIED, **(settings or {})},
                    secrets=secrets,
                    files=files,
                )
            )

        yield start


@pytest.fixture(scope="session")
def session_opensearch(plugin_node: RunningNode) -> Iterator[OpenSearch]:
    """A client for the fixtures of the session."""
    with OpenSearch(plugin_node.url, timeout=60) as client:
        yield client


@pytest.fixture
def opensearch(plugin_node: RunningNode) -> Iterator[OpenSearch]:
    """A client of the node with the plugin."""
    with OpenSearch(plugin_node.url, timeout=60) as client:
        yield client


@pytest.fixture
def once(plugin_node: RunningNode) -> Iterator[OpenSearch]:
    """A client that takes an error for an answer, and waits for many searches at once."""
    with OpenSearch(plugin_node.url, timeout=60, max_retries=0, pool_maxsize=200) as client:
        yield client


@pytest.fixture
def fake(minilm: Encoder) -> Iterator[FakeSidecar]:
    """A sidecar that fails on demand; it says that it runs the embedded model."""
    with faking(minilm.profile) as made:
        yield made


@pytest.fixture
def other_fake(minilm: Encoder) -> Iterator[FakeSidecar]:
    """And another."""
    with faking(minilm.profile) as made:
        yield made


@pytest.fixture(scope="session")
def article_index(
    session_opensearch: OpenSearch,
    meta: IndexMeta,
    vectors: Mapping[str, npt.NDArray[np.float32]],
) -> Callable[..., Articles]:
    """Makes an index of the articles with as many shards as asked."""

    def make(name: str, shards: int) -> Articles:
        return index_articles(session_opensearch, name, shards, meta, vectors)

    return make


@pytest.fixture(scope="session")
def articles(article_index: Callable[..., Articles]) -> Articles:
    """The articles in one shard."""
    return article_index("articles", 1)


@pytest.fixture(scope="session")
def articles_in_shards(article_index: Callable[..., Articles]) -> Articles:
    """The articles in three shards."""
    return article_index("articles-in-shards", 3)


def index_articles(
    client: OpenSearch,
    name: str,
    shards: int,
    meta: IndexMeta,
    vectors: Mapping[str, npt.NDArray[np.float32]],
) -> Articles:
    """Make an index of the articles and their vectors."""
    body = index_body(EngineKind.OPENSEARCH, meta, shards=shards, replicas=0, extra=FIELDS)
    client.indices.create(index=name, body=body)
    made = Articles(name, meta, article_documents(), vectors)
    bulk(client, made.actions(), refresh=True)
    return made
