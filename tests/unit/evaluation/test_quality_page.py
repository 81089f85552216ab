from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.quality_page import BEGIN, END, update_page
from plugin.ranking.errors import SettingsError

FAMILY = {
    "signals": {"query": 0.75, "first_stage": 0.04},
    "prompt_hits": 10,
    "rocchio_hits": 3,
    "dev_nDCG@10": 0.51234,
    "behind": 0.0012,
    "standard_error": 0.002,
}
COMPARISON = {"difference": 0.0123, "ci95": [0.001, 0.02], "p_value": 0.00001}
DOCUMENT = {
    "model": {"name": "m", "fingerprint": "f"},
    "k": 100,
    "dev": [{"name": "some train, BM25 standard", "queries": 20}],
    "choice": {
        "settings_tried": 9,
        "families": [FAMILY],
        "chosen": FAMILY,
        "by_first_stage": [
            {"first_stage": 0.0, "dev_nDCG@10": 0.5},
            {"first_stage": 0.04, "dev_nDCG@10": 0.51234},
        ],
    },
    "test": [
        {
            "name": "some test",
            "queries": 30,
            "documents": 40,
            "results": [
                {"strategy": "none", "nDCG@10": 0.5, "AP": 0.4, "vs_none": None, "vs_query": None},
                {
                    "strategy": "e2rank",
                    "nDCG@10": 0.5123,
                    "AP": 0.41,
                    "vs_none": COMPARISON,
                    "vs_query": {**COMPARISON, "p_value": 0.25},
                },
            ],
        }
    ],
    "machine": {"processor": "p", "cores": 2, "memory_gib": 8.0},
    "versions": {"python": "3.11"},
    "seconds": 61.4,
}


def test_what_stands_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    update_page(page, DOCUMENT)
    once = page.read_text()
    update_page(page, DOCUMENT)
    assert page.read_text() == once
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith(f"{END}\nafter\n")
    assert "| **query + first_stage** | 0.75, 0.04 | 10 |  | 0.5123 | 0.0012 ± 0.0020 |" in once
    assert "| 0 | 0.04 |\n|---|---|\n| 0.5000 | 0.5123 |" in once
    assert "| e2rank | 0.5123 | +0.0123 | +0.001 … +0.020 | < 0.0001 | 0.2500 | 0.4100 |" in once


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(SettingsError, match="add them where the tables go"):
        update_page(page, DOCUMENT)
    with pytest.raises(SettingsError, match="cannot be read"):
        update_page(tmp_path / "none.md", DOCUMENT)
