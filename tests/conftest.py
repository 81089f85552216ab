"""Fixtures of every test: markers by folder, the default model, real engines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.nodes import own_node

if TYPE_CHECKING:
    from plugin.models.encoder import Encoder

TESTS = Path(__file__).parent

# Speed is measured by benchmarks: a machine with other work on it fails no property.
settings.register_profile("rankside", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rankside")

# Nothing here may reach a hub or send usage figures.
os.environ.update(HF_HUB_OFFLINE="1", LITELLM_LOCAL_MODEL_COST_MAP="True", DO_NOT_TRACK="1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's folder is its marker."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            item.add_marker(item.path.relative_to(TESTS).parts[0])


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    """The embedded model, loaded once; by name, since the default differs with CUDA."""
    from plugin.models.load import load_encoder
    from plugin.models.options import ModelOptions

    return load_encoder(ModelOptions(name="all-minilm-l6-v2"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test collections, which licences keep out of the repository."""
    default = TESTS.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("RANKSIDE_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip("the test collections are not here; set RANKSIDE_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def opensearch_url() -> Iterator[str]:
    """A real OpenSearch node of the tests' own."""
    with own_node("opensearch") as node:
        yield node.url


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """A real Elasticsearch node of the tests' own."""
    with own_node("elasticsearch") as node:
        yield node.url
