from __future__ import annotations

import pytest

from connectors.meta import IndexMeta
from pipelines.bodies import SidecarTarget
from tests.unit.pipelines.memory import MemoryEngine


@pytest.fixture
def meta() -> IndexMeta:
    return IndexMeta(
        fingerprint="0123456789abcdef",
        model="all-minilm-l6-v2",
        revision="53aa51172d14",
        dimensions=384,
    )


@pytest.fixture
def target() -> SidecarTarget:
    return SidecarTarget("http://sidecar:8080", "all-minilm-l6-v2")


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()
