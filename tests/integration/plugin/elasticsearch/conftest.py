"""Real Elasticsearch nodes with the plugin, and an index that the sidecar's model embedded.

A sidecar's address is a setting of the node, so there are two that the run's tests share: one whose
sidecar is real, and one whose sidecar fails on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

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
URL = "rankside.sidecar.url"
# What one test makes of the fake is not to keep the next one from it.
PATIENT = {"rankside.circuit.failures": 1_000_000}

StartNode = Callable[..., RunningNode]
Vectors = Mapping[str, npt.NDArray[np.float32]]


@pytest.fixture(scope="session")
def plugin_zip() -> Path:
    """The plugin of this checkout."""
    return local.build_plugin("elasticsearch")


@pytest.fixture(scope="session")
def plugin_node(plugin_zip: Path, sidecar: str) -> Iterator[RunningNode]:
    """A node with the plugin and the real sidecar, shared by the run's tests."""
    settings = {URL: [sidecar], **UNHURRIED}
    with own_node("elasticsearch", plugin=plugin_zip, heap=HEAP, settings=settings) as node:
        yield node


@pytest.fixture(scope="session")
def session_fake(minilm: Encoder) -> Iterator[FakeSidecar]:
    """The sidecar of `fake_node`."""
    with faking(minilm.profile) as made:
        yield made


@pytest.fixture(scope="session")
def fake_node(plugin_zip: Path, session_fake: FakeSidecar) -> Iterator[RunningNode]:
    """A node with the plugin and a sidecar that fails on demand, shared by the run's tests."""
    settings = {URL: [session_fake.url], **PATIENT, **UNHURRIED}
    with own_node("elasticsearch", plugin=plugin_zip, heap=HEAP, settings=settings) as node:
        yield node


@pytest.fixture
def fake(session_fake: FakeSidecar) -> FakeSidecar:
    """The sidecar of `fake_node`, as if it had just been started; it says that it runs minilm."""
    session_fake.reset()
    return session_fake


@pytest.fixture
def start_plugin_node(plugin_zip: Path) -> Iterator[StartNode]:
    """Starts a node with the plugin and ``settings`` of the test's own; stopped after the test.

    ``urls`` are the sidecar's addresses, ``api_key`` its bearer key in the node's keystore;
    ``files`` are copied into its configuration folder.
    """
    with ExitStack() as nodes:

        def start(
            *urls: str,
            settings: Mapping[str, object] | None = None,
            api_key: str | None = None,
            files: Iterable[Path] = (),
        ) -> RunningNode:
            return nodes.enter_context(
                own_node(
                    "elasticsearch",
                    plugin=plugin_zip,
                    heap=HEAP,
                    settings={
                        **({URL: list(urls)} if urls else {}),
                        **UNHURRIED,
                        **(settings or {}),
                    },
                    secrets={"rankside.sidecar.api_key": api_key} if api_key else {},
                    files=files,
                )
            )

        yield start


@pytest.fixture(scope="session")
def session_elasticsearch(plugin_node: RunningNode) -> Iterator[Elasticsearch]:
    """A client for the fixtures of the session."""
    with client_of(plugin_node) as client:
        yield client


@pytest.fixture
def elasticsearch(plugin_node: RunningNode) -> Iterator[Elasticsearch]:
    """A client of the node with the real sidecar."""
    with client_of(plugin_node) as client:
        yield client


@pytest.fixture
def fake_elasticsearch(fake_node: RunningNode) -> Iterator[Elasticsearch]:
    """A client of the node whose sidecar fails on demand; it takes an error for an answer."""
    with client_of(fake_node, max_retries=0, connections_per_node=200) as client:
        yield client


@pytest.fixture
def once(plugin_node: RunningNode) -> Iterator[Elasticsearch]:
    """A client that takes an error for an answer, and waits for many searches at once."""
    with client_of(plugin_node, max_retries=0, connections_per_node=200) as client:
        yield client


@pytest.fixture(scope="session")
def articles(session_elasticsearch: Elasticsearch, meta: IndexMeta, vectors: Vectors) -> Articles:
    """The articles in one shard, on the node with the real sidecar."""
    return index_articles(session_elasticsearch, "articles", 1, meta, vectors)


@pytest.fixture(scope="session")
def articles_in_shards(
    session_elasticsearch: Elasticsearch, meta: IndexMeta, vectors: Vectors
) -> Articles:
    """The articles in three shards, on the node with the real sidecar."""
    return index_articles(session_elasticsearch, "articles-in-shards", 3, meta, vectors)


@pytest.fixture(scope="session")
def fake_articles(fake_node: RunningNode, meta: IndexMeta, vectors: Vectors) -> Articles:
    """The articles in three shards, on the node whose sidecar fails on demand."""
    with client_of(fake_node) as client:
        return index_articles(client, "articles", 3, meta, vectors)


def client_of(
    node: RunningNode, max_retries: int = 3, connections_per_node: int = 10
) -> Elasticsearch:
    """A client that waits longer than anything here takes."""
    return Elasticsearch(
        node.url,
        request_timeout=60,
        max_retries=max_retries,
        connections_per_node=connections_per_node,
    )


def index_articles(
    client: Elasticsearch, name: str, shards: int, meta: IndexMeta, vectors: Vectors
) -> Articles:
    """Make an index of the articles and their vectors."""
    body = index_body(EngineKind.ELASTICSEARCH, meta, shards=shards, replicas=0, extra=FIELDS)
    client.indices.create(index=name, **body)
    made = Articles(name, meta, article_documents(), vectors)
    bulk(client, made.actions(), refresh=True)
    return made
