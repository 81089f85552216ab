"""A real node with the plugin, a real sidecar, and an index that the sidecar's model embedded."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk

from connectors.engine import EngineKind
from connectors.meta import IndexMeta, document_text, vector_hash
from deploy import local
from deploy.local import RunningNode
from pipelines.definitions import index_body
from plugin.models.encoder import Encoder
from plugin.models.llm import Completion
from plugin.ranking.insertrank import ChatMessage
from plugin.ranking.prompts import document_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.articles import FIELDS, article_documents
from tests.fake_sidecar import FakeSidecar, faking
from tests.nodes import own_node
from tests.serving import serving

HEAP = "512m"

StartNode = Callable[..., RunningNode]


@dataclass(frozen=True)
class Articles:
    """An index of `article_documents` and the vectors in it, for tests that do not write."""

    index: str
    meta: IndexMeta
    documents: Mapping[str, Mapping[str, Any]]
    vectors: Mapping[str, npt.NDArray[np.float32]]


class ReversingLLM:
    """Ranks the passages it is shown from the last to the first."""

    name = "reverser"

    async def complete(self, messages: list[ChatMessage], *, timeout: float) -> Completion:
        del timeout
        count = sum(line.startswith("[") for line in messages[-1].content.splitlines())
        answer = " > ".join(f"[{number}]" for number in range(count, 0, -1))
        return Completion(answer, prompt_tokens=1, completion_tokens=1)

    async def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def plugin_zip() -> Path:
    """The plugin of this checkout."""
    return local.build_plugin()


@pytest.fixture(scope="session")
def plugin_node(plugin_zip: Path) -> Iterator[RunningNode]:
    """A node with the plugin, installed by the engine's own tool, shared by the run's tests."""
    with own_node("opensearch", plugin=plugin_zip, heap=HEAP) as node:
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
            options = {"plugin": plugin_zip, "heap": HEAP, "settings": settings}
            return nodes.enter_context(
                own_node("opensearch", secrets=secrets, files=files, **options)
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
    with OpenSearch(plugin_node.url, timeout=60, max_retries=0, pool_maxsize=64) as client:
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


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that refuses."""
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(scope="session")
def sidecar(minilm: Encoder) -> Iterator[str]:
    """The address of a real sidecar with the embedded model and a language model that reverses."""
    with serving(create_app(SidecarOptions(), minilm, ReversingLLM())) as url:
        yield url


@pytest.fixture(scope="session")
def meta(minilm: Encoder) -> IndexMeta:
    """What an index says of the sidecar's model."""
    profile = minilm.profile
    return IndexMeta(
        fingerprint=profile.fingerprint,
        model=profile.name,
        revision=profile.revision,
        dimensions=profile.dimensions,
    )


@pytest.fixture(scope="session")
def vectors(minilm: Encoder, meta: IndexMeta) -> dict[str, npt.NDArray[np.float32]]:
    """The vector of every article by the sidecar's model."""
    texts = {
        id_: document_text(source, meta.text_fields) for id_, source in article_documents().items()
    }
    inputs = [document_input(minilm.profile, text) for text in texts.values()]
    return dict(zip(texts, minilm.encode(inputs).vectors, strict=True))


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
    bulk(client, _actions(made), refresh=True)
    return made


def _actions(made: Articles) -> Iterator[dict[str, Any]]:
    meta = made.meta
    for id_, source in made.documents.items():
        text = document_text(source, meta.text_fields)
        vector = {
            meta.vector_field: made.vectors[id_].tolist(),
            meta.hash_field: vector_hash(meta.fingerprint, text),
        }
        yield {"_index": made.index, "_id": id_, **source, **vector}
