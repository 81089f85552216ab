"""A sidecar on a real socket, over an encoder that fails on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import RanksideError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.sidecar import EncoderSource
from tests.doubles import Gate, Serve, WordEncoder
from tests.serving import serving


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def fatal() -> list[RanksideError]:
    """What the sidecar ended for."""
    return []


@pytest.fixture
def serve(encoder: WordEncoder, fatal: list[RanksideError]) -> Iterator[Serve]:
    """Serve with these options; the answer is a client of it."""
    with ExitStack() as stack:

        def start(
            source: EncoderSource | None = None,
            llm: LLM | None = None,
            llm_options: LLMOptions | None = None,
            **options: object,
        ) -> httpx.Client:
            app = create_app(
                SidecarOptions.model_validate(options),
                source or encoder,
                llm,
                llm_options=llm_options,
                on_fatal=fatal.append,
            )
            url = stack.enter_context(serving(app))
            return stack.enter_context(httpx.Client(base_url=url, timeout=30))

        yield start


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    """A client of a sidecar with default options."""
    return serve()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate; set it with ``encoder.before = gate`` once the server is up."""
    made = Gate()
    yield made
    made.open()
