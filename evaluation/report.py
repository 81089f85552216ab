"""Results as JSON, as a table, and as TREC run files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from evaluation.experiment import Result
from evaluation.measures import MAIN
from evaluation.runs import write_run
from evaluation.significance import Comparison

_DIGITS = 4
_LUCK = 0.05


def result_json(result: Result, *, per_query: bool = False) -> dict[str, Any]:
    """One element of ``results``: strategy, signals, every measure, and how sure the gain is."""
    outcome = result.outcome
    row: dict[str, Any] = {
        "strategy": outcome.variant.label,
        "window": outcome.variant.window,
        "prompt_hits": outcome.variant.prompt_hits,
        "signals": dict(outcome.signals),
        **{name: round(mean, 6) for name, mean in result.scores.means.items()},
        "p_value_vs_none": result.versus_none.p_value if result.versus_none else None,
        "p_value_holm": result.p_holm,
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


def verdict(results: Sequence[Result]) -> str:
    """Whether anything is better than the first stage, in words: of what is, the best."""
    tested = [(one, one.versus_none) for one in results if one.versus_none is not None]
    if not tested:
        return "Nothing was compared with the first stage."
    sure = [pair for pair in tested if _p_holm(*pair) < _LUCK]
    better = [pair for pair in sure if pair[1].difference > 0]
    best, found = max(better or tested, key=lambda pair: pair[0].scores.means[MAIN])
    label = best.outcome.variant.label
    if better:
        said = f"Reranking helps: {label} makes"
    elif (best, found) in sure:
        said = f"Reranking does harm: even {label}, the best, makes"
    else:
        said = f"No gain that is more than luck: {label}, the best, makes"
    several = f", Holm's over {len(tested)} strategies" if len(tested) > 1 else ""
    difference, interval, _, _ = _gain(found)
    said += (
        f" {difference} {MAIN} against the first stage (95 % interval {interval}, p "
        f"{p_text(_p_holm(best, found))}{several}); {found.better} queries won, {found.worse} lost."
    )
    if len(tested) > 1:
        said += " It was picked on these very queries: expect less of it on others."
    return said


def _p_holm(result: Result, comparison: Comparison) -> float:
    return comparison.p_value if result.p_holm is None else result.p_holm


def describe_first_stage(found: Mapping[str, Any]) -> str:
    """Engine, analyzer and query, or the run's name, in a line."""
    return ", ".join(str(value) for value in found.values())


def p_text(value: float) -> str:
    """A p-value as it is shown, in five characters at most: a terminal is narrow."""
    if value < 1e-4:
        return "<1e-4"
    return f"{value:.0e}" if value < 1e-3 else f"{value:.2g}"


def results_table(results: Sequence[Result], title: str) -> Table:
    """The results for eyes; p is that of the paired randomisation test against `none`.

    Where windows or prompt hits were tried, they have columns of their own.
    """
    grid = any(one.outcome.variant.family != one.outcome.variant.label for one in results)
    sizes = ("window", "hits") if grid else ()
    more = () if grid else ("won/lost", "MAP")  # 80 columns hold no more
    table = Table(title=title, title_justify="left")
    table.add_column("strategy", overflow="fold", min_width=10)
    for heading in (*sizes, MAIN, "Δ", "95 % interval", "p", *more):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        variant, means = result.outcome.variant, result.scores.means
        difference, interval, p_value, won = _gain(result.versus_none)
        table.add_row(
            variant.family,
            *[str(size or "") for size in (variant.window, variant.prompt_hits)][: len(sizes)],
            f"{means[MAIN]:.{_DIGITS}f}",
            *(difference, interval, p_value),
            *[won, f"{means['AP']:.{_DIGITS}f}"][: len(more)],
        )
    return table


def signals_line(results: Sequence[Result]) -> str:
    """Which signals each strategy summed, with their weights."""
    parts = {}
    for result in results:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in result.outcome.signals.items())
        if weights:
            family = result.outcome.variant.family
            parts[family] = f"{family} = {weights}"
    return "; ".join(parts.values())


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
    return {"measure": MAIN, **comparison.to_json()}


def _gain(comparison: Comparison | None) -> tuple[str, str, str, str]:
    if comparison is None:
        return "", "", "", ""
    return (
        f"{comparison.difference:+.{_DIGITS}f}",
        f"{comparison.low:+.3f} … {comparison.high:+.3f}",
        p_text(comparison.p_value),
        f"{comparison.better}/{comparison.worse}",
    )
