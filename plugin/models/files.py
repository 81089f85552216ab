"""Reading a model's files by transformers: what may fail, and how it is said."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError
from transformers.utils import logging as hub_logging

FAILURES = (
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    ImportError,
    SafetensorError,
    struct.error,
)
"""What transformers raises where files are missing, changed or unreadable."""


def brief(error: Exception) -> str:
    """The first line of a foreign message, or its kind where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Reading local files takes a moment; a bar for it only disturbs logs."""
    shown = hub_logging.is_progress_bar_enabled()
    hub_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            hub_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
