from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving


@pytest.fixture(scope="session")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), minilm)) as url:
        yield url
