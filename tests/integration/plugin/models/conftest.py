from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.llm_server import LLMServer
from tests.serving import serving


@pytest.fixture
def server() -> LLMServer:
    return LLMServer()


@pytest.fixture
def url(server: LLMServer) -> Iterator[str]:
    with serving(server.app) as address:
        yield f"{address}/v1"
