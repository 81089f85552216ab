"""The page of settings is the settings."""

from __future__ import annotations

from pathlib import Path

from rankside.settings_page import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "write it anew: python -m rankside.settings_page > docs/reference/settings.md"
    )


def test_every_setting_says_what_it_is() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) > 30
    assert [row for row in rows if row.endswith("|  |")] == []
