"""How a node protects itself, and the sidecar: circuits, calls at a time, memory, threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from opensearchpy import OpenSearch

from connectors.meta import IndexMeta
from deploy.local import RunningNode
from tests.fake_sidecar import FakeSidecar
from tests.integration.plugin import protection
from tests.integration.plugin.failing import LONG
from tests.integration.plugin.opensearch.conftest import HEAP, Articles, index_articles
from tests.integration.plugin.opensearch.failing import PIPELINE, Failing
from tests.integration.plugin.opensearch.searching import put_pipeline
from tests.nodes import own_node


@pytest.fixture(scope="module")
def strict_node(plugin_zip: Path) -> Iterator[RunningNode]:
    """A node that allows two calls at a time and soon tries again."""
    settings = protection.SETTINGS
    with own_node("opensearch", plugin=plugin_zip, heap=HEAP, settings=settings) as node:
        yield node


@pytest.fixture(scope="module")
def index(
    strict_node: RunningNode, meta: IndexMeta, vectors: dict[str, npt.NDArray[np.float32]]
) -> str:
    """The articles, on the strict node."""
    with OpenSearch(strict_node.url, timeout=60) as client:
        return index_articles(client, "articles", 1, meta, vectors).index


@pytest.fixture
def strict(strict_node: RunningNode, index: str, fake: FakeSidecar) -> Iterator[Failing]:
    """Searches on the strict node, which knows what the fake runs."""
    with OpenSearch(strict_node.url, timeout=60, max_retries=0) as client:
        put_pipeline(client, PIPELINE, url=fake.url, timeout=LONG)
        searches = Failing(client, index)
        searches.reranked()
        yield searches


@pytest.fixture
def usual(once: OpenSearch, articles: Articles, fake: FakeSidecar) -> Failing:
    """Searches on a node with the usual settings, which knows what the fake runs."""
    put_pipeline(once, PIPELINE, url=fake.url, timeout=LONG)
    searches = Failing(once, articles.index)
    searches.reranked()
    return searches


def test_a_circuit_opens_half_opens_and_closes(strict: Failing, fake: FakeSidecar) -> None:
    protection.a_circuit_opens_half_opens_and_closes(strict, fake)


def test_a_probe_that_fails_opens_the_circuit_again(strict: Failing, fake: FakeSidecar) -> None:
    protection.a_probe_that_fails_opens_the_circuit_again(strict, fake)


def test_too_much_to_do_opens_no_circuit(strict: Failing, fake: FakeSidecar) -> None:
    protection.too_much_to_do_opens_no_circuit(strict, fake)


def test_a_search_too_many_does_not_wait(strict: Failing, fake: FakeSidecar) -> None:
    protection.a_search_too_many_does_not_wait(strict, fake)


def test_searches_in_haste_do_not_open_the_circuit_for_others(
    strict: Failing, fake: FakeSidecar
) -> None:
    protection.searches_in_haste_do_not_open_the_circuit_for_others(strict, fake)


def test_no_thread_waits_while_fifty_searches_hang(usual: Failing, fake: FakeSidecar) -> None:
    protection.no_thread_waits_while_fifty_searches_hang(usual, fake)


def test_a_crowd_beside_a_stalled_sidecar_is_answered(usual: Failing, fake: FakeSidecar) -> None:
    protection.a_crowd_beside_a_stalled_sidecar_is_answered(usual, fake)


def test_long_answers_to_many_searches_do_not_fill_the_heap(
    usual: Failing, plugin_node: RunningNode, fake: FakeSidecar
) -> None:
    assert plugin_node.heap == "512m"
    protection.long_answers_to_many_searches_do_not_fill_the_heap(usual, fake)
