"""A real server over the real default encoder, for real clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving


@pytest.fixture(scope="session")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    """The address of an open sidecar."""
    with serving(create_app(SidecarOptions(), minilm)) as url:
        yield url


@pytest.fixture(scope="session")
def documents() -> list[str]:
    """Three passages; QUERY of the tests is about the second."""
    return [
        "Cats purr when they are content, and sometimes when they are ill.",
        "open() opens a file and returns a stream; read() returns its whole text.",
        "A tariff is a tax on imported goods.",
    ]
