"""A real sidecar, one that nobody answers for, and vectors by the sidecar's model."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from connectors.meta import IndexMeta, document_text
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.articles import article_documents
from tests.reversing_llm import ReversingLLM
from tests.serving import serving

# What both engines' tests have in common says what was wrong as they do.
pytest.register_assert_rewrite(
    *(
        f"tests.integration.plugin.{name}"
        for name in (
            "cancellation",
            "counting",
            "embedding",
            "failing",
            "node_restarts",
            "protection",
            "restarts",
        )
    )
)


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
