"""How the demo's figures are said: one report as tables, JSON and Markdown."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from rankside.demo.report import Example, Latency, Quality, Report

QUALITY = [
    Quality("BM25", {"first_stage": 1.0}, 0.3384, 0.484, None),
    Quality("Rankside", {"listwise": 0.0, "query": 1.0, "first_stage": 0.06}, 0.459, 0.631, 9e-4),
]
LATENCY = [Latency("Rankside", 120, 34.4, 56.0, {"window": 0.25, "sidecar": 0.5, "rescore": 0.0})]
EXAMPLE = Example(
    label="greatest gain",
    query="pre-fill some arguments",
    before=[("builtins.callable", 0), ("functools.wraps", 1)],
    after=[("functools.partial", 2), ("functools.wraps", 1)],
    ndcg_before=0.25,
    ndcg_after=1.0,
)
REPORT = Report(
    documents=5879,
    queries=120,
    judgments=605,
    model="all-minilm-l6-v2 (384 dimensions)",
    engine="opensearch 3.6.0",
    machine="2 cores",
    quality=QUALITY,
    latency=LATENCY,
    examples=[EXAMPLE],
    seconds={"node": 12.0},
)


def rows(markdown: str) -> list[list[str]]:
    """The cells of every line of every table."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_latency_is_summarised_over_whole_searches() -> None:
    timings = [{"total": float(total), "window": total / 4} for total in range(1, 101)]
    latency = Latency.of("Rankside", timings)
    assert (latency.system, latency.searches) == ("Rankside", 100)
    assert latency.p50 == pytest.approx(50.5)
    assert latency.p95 == pytest.approx(95.05)


def test_a_stage_that_some_searches_lack_counts_as_nothing_there() -> None:
    timings = [{"total": 10.0, "window": 5.0, "sidecar": 4.0}, {"total": 30.0, "rescore": 10.0}]
    shares = Latency.of("Rankside", timings).shares
    assert shares == pytest.approx({"window": 0.125, "sidecar": 0.1, "rescore": 0.25})


def test_json_holds_everything() -> None:
    said = json.loads(json.dumps(REPORT.to_json()))
    assert said["quality"][1]["p_value"] == 9e-4
    assert said["latency"][0]["shares"]["sidecar"] == 0.5
    assert said["examples"][0]["after"][0] == ["functools.partial", 2]
    assert said["seconds"] == {"node": 12.0}


def test_markdown_has_a_row_for_every_system_and_every_place() -> None:
    table = rows(REPORT.to_markdown())
    assert ["BM25", "0.338", "0.484", "", "1·first_stage"] in table
    signals = "1·query + 0.06·first_stage"
    assert ["Rankside", "0.459", "0.631", "< 0.001", signals] in table
    assert ["Rankside", "34 ms", "56 ms", "window 25%, sidecar 50%"] in table
    assert ["1", "builtins.callable", "functools.partial ★★"] in table
    assert ["2", "functools.wraps ★", "functools.wraps ★"] in table


def test_every_table_of_the_markdown_has_as_many_cells_in_each_row() -> None:
    for table in REPORT.to_markdown().split("\n\n"):
        assert len({len(row) for row in rows(table)}) <= 1, table


@pytest.mark.parametrize(("p_value", "said"), [(0.001, "0.001"), (0.9994, "0.999"), (0, "< 0.001")])
def test_a_p_value_is_said_to_three_places(p_value: float, said: str) -> None:
    report = replace(REPORT, quality=[replace(QUALITY[1], p_value=p_value)])
    told = next(row for row in rows(report.to_markdown()) if row[0] == "Rankside")
    assert told[3] == said


def test_the_tables_show_the_figures_the_examples_and_the_setting() -> None:
    shown = io.StringIO()
    REPORT.print(Console(file=shown, width=120))
    text = shown.getvalue()
    for part in ("0.338", "< 0.001", "34.4 ms", "sidecar 50%", "functools.partial ★★"):
        assert part in text
    assert "greatest gain: “pre-fill some arguments”" in text
    assert "nDCG@10 0.25 → 1.00" in text
    assert "5879 documents, 120 queries, 605 judgments" in text
