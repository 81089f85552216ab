"""The ``Retry-After`` header, as every client of ours reads it."""

from __future__ import annotations

import math


def retry_after(header: str | None) -> float | None:
    """Seconds the server asks to wait; None where it does not say, or says it as a date."""
    value = header or ""
    seconds = float(value) if value.replace(".", "", 1).isdecimal() else math.inf
    return seconds if math.isfinite(seconds) else None
