"""The ``Retry-After`` header of the model servers."""

from __future__ import annotations

import httpx


def retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait; None where it does not say, or says it as a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.replace(".", "", 1).isdecimal() else None
