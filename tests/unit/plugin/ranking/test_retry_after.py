from __future__ import annotations

import pytest

from plugin.ranking.retry_after import retry_after


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("0", 0.0)])
def test_seconds_are_read(header: str, seconds: float) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(
    "header",
    [None, "", "soon", "-3", "inf", "nan", "1.2.3", "9" * 400, "Wed, 21 Oct 2026 07:28 GMT"],
)
def test_what_is_no_number_of_seconds_says_nothing(header: str | None) -> None:
    assert retry_after(header) is None
