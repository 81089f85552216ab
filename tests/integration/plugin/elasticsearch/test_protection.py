"""How a node protects itself, and the sidecar: circuits, calls at a time, memory, threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from connectors.meta import IndexMeta
from deploy.local import RunningNode
from plugin.models.encoder import Encoder
from tests.fake_sidecar import FakeSidecar, faking
from tests.integration.plugin import protection
from tests.integration.plugin.elasticsearch.conftest import (
    HEAP,
    URL,
    Vectors,
    client_of,
    index_articles,
)
from tests.integration.plugin.elasticsearch.failing import Failing, ready
from tests.integration.plugin.shared import Articles
from tests.nodes import own_node


@pytest.fixture(scope="module")
def strict_fake(minilm: Encoder) -> Iterator[FakeSidecar]:
    """The sidecar of `strict_node`."""
    with faking(minilm.profile) as made:
        yield made


@pytest.fixture(scope="module")
def strict_node(plugin_zip: Path, strict_fake: FakeSidecar) -> Iterator[RunningNode]:
    """A node that allows two calls at a time and soon tries again."""
    settings = {URL: [strict_fake.url], **protection.SETTINGS}
    with own_node("elasticsearch", plugin=plugin_zip, heap=HEAP, settings=settings) as node:
        yield node


@pytest.fixture(scope="module")
def index(strict_node: RunningNode, meta: IndexMeta, vectors: Vectors) -> str:
    """The articles, on the strict node."""
    with client_of(strict_node) as client:
        return index_articles(client, "articles", 1, meta, vectors).index


@pytest.fixture
def strict(strict_node: RunningNode, index: str, strict_fake: FakeSidecar) -> Iterator[Failing]:
    """Searches on the strict node, whatever another test has made of its circuit."""
    with client_of(strict_node, max_retries=0) as client:
        yield ready(Failing(client, index), strict_fake)


@pytest.fixture
def usual(fake_elasticsearch: Elasticsearch, fake_articles: Articles, fake: FakeSidecar) -> Failing:
    """Searches on a node with the usual settings."""
    return ready(Failing(fake_elasticsearch, fake_articles.index), fake)


def test_a_circuit_opens_half_opens_and_closes(strict: Failing, strict_fake: FakeSidecar) -> None:
    protection.a_circuit_opens_half_opens_and_closes(strict, strict_fake)


def test_a_probe_that_fails_opens_the_circuit_again(
    strict: Failing, strict_fake: FakeSidecar
) -> None:
    protection.a_probe_that_fails_opens_the_circuit_again(strict, strict_fake)


def test_too_much_to_do_opens_no_circuit(strict: Failing, strict_fake: FakeSidecar) -> None:
    protection.too_much_to_do_opens_no_circuit(strict, strict_fake)


def test_a_search_too_many_does_not_wait(strict: Failing, strict_fake: FakeSidecar) -> None:
    protection.a_search_too_many_does_not_wait(strict, strict_fake)


def test_searches_in_haste_do_not_open_the_circuit_for_others(
    strict: Failing, strict_fake: FakeSidecar
) -> None:
    protection.searches_in_haste_do_not_open_the_circuit_for_others(strict, strict_fake)


def test_no_thread_waits_while_fifty_searches_hang(usual: Failing, fake: FakeSidecar) -> None:
    protection.no_thread_waits_while_fifty_searches_hang(usual, fake)


def test_a_crowd_beside_a_stalled_sidecar_is_answered(usual: Failing, fake: FakeSidecar) -> None:
    protection.a_crowd_beside_a_stalled_sidecar_is_answered(usual, fake)


def test_long_answers_to_many_searches_do_not_fill_the_heap(
    usual: Failing, fake_node: RunningNode, fake: FakeSidecar
) -> None:
    assert fake_node.heap == "512m"
    protection.long_answers_to_many_searches_do_not_fill_the_heap(usual, fake)
