"""Results as JSON, as a table, and as TREC run files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from evaluation.experiment import Result
from evaluation.measures import MAIN, NAMES
from evaluation.runs import write_run
from evaluation.significance import Comparison

_DIGITS = 4


def result_json(result: Result, *, per_query: bool = False) -> dict[str, Any]:
    """One element of ``results``: strategy, signals, every measure, and how sure the gain is."""
    outcome = result.outcome
    row: dict[str, Any] = {
        "strategy": outcome.variant.label,
        "signals": dict(outcome.signals),
        **{name: round(result.scores.means[name], 6) for name in NAMES},
        "p_value_vs_none": result.versus_none.p_value if result.versus_none else None,
        "vs_none": _comparison(result.versus_none),
        "vs_query": _comparison(result.versus_query),
        "statuses": dict(outcome.statuses),
        "reasons": dict(outcome.reasons),
        "latency_ms": latencies(outcome.timings_ms),
    }
    if per_query:
        row["per_query"] = result.scores.by_query()
    return row


def latencies(timings: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Stage → p50 and p95 in milliseconds, over the searches that had the stage."""
    stages = dict.fromkeys(stage for one in timings for stage in one)
    answer: dict[str, dict[str, float]] = {}
    for stage in stages:
        values = [one[stage] for one in timings if stage in one]
        p50, p95 = np.percentile(values, [50, 95])
        answer[stage] = {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
    return answer


def results_table(results: Sequence[Result], title: str) -> Table:
    """The results for eyes; p is that of the paired randomisation test against `none`."""
    table = Table(title=title, title_justify="left")
    table.add_column("strategy", overflow="fold", min_width=10)
    for heading in (MAIN, "Δ", "95 % interval", "p", "won/lost", "MAP"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        means = {name: f"{value:.{_DIGITS}f}" for name, value in result.scores.means.items()}
        table.add_row(
            result.outcome.variant.label,
            means[MAIN],
            *_gain(result.versus_none),
            means["AP"],
        )
    return table


def signals_line(results: Sequence[Result]) -> str:
    """Which signals each strategy summed, with their weights."""
    parts = []
    for result in results:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in result.outcome.signals.items())
        if weights:
            parts.append(f"{result.outcome.variant.label} = {weights}")
    return "; ".join(parts)


def write_runs(folder: Path, results: Sequence[Result], dataset: str) -> list[Path]:
    """One TREC file a strategy, ``<dataset>.<strategy>.trec``; the paths written."""
    paths = []
    for result in results:
        label = result.outcome.variant.label
        safe = "".join(letter if letter.isalnum() or letter in "-_.=" else "_" for letter in label)
        path = folder / f"{dataset}.{safe}.trec"
        write_run(path, result.outcome.run, f"rankside-{safe}")
        paths.append(path)
    return paths


def _comparison(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {
        "measure": MAIN,
        "difference": round(comparison.difference, 6),
        "ci95": [round(comparison.low, 6), round(comparison.high, 6)],
        "p_value": comparison.p_value,
        "test": "two-sided paired randomisation",
        "resamples": comparison.resamples,
        "exact": comparison.exact,
        "better": comparison.better,
        "worse": comparison.worse,
    }


def _gain(comparison: Comparison | None) -> tuple[str, str, str, str]:
    if comparison is None:
        return "", "", "", ""
    return (
        f"{comparison.difference:+.{_DIGITS}f}",
        f"{comparison.low:+.3f} … {comparison.high:+.3f}",
        f"{comparison.p_value:.2g}",
        f"{comparison.better}/{comparison.worse}",
    )
