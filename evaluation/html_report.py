"""The evaluation as one page of HTML that asks nobody for anything: no script, no other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from evaluation.experiment import Result, leaders
from evaluation.losses import snippet
from evaluation.machine import machine, versions
from evaluation.measures import MAIN
from evaluation.plots import Plot
from evaluation.report import describe_first_stage, latencies, p_text, signals_line, verdict
from evaluation.session import Evaluation
from evaluation.significance import Comparison

_COLUMNS = 6
"""So many strategies have a column in the table of queries."""


def html_report(evaluation: Evaluation, plots: Sequence[Plot], command: str = "") -> str:
    """The page; ``command`` is what was typed, for whoever wants to do it again.

    Every text of documents, queries and options is escaped; only ``plots`` are put in as they are.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"snippet": snippet, "p": p_text, "signed": _signed}
    collection, results = evaluation.collection, evaluation.results
    shown = leaders(results)[:_COLUMNS]
    return environment.get_template("report.html").render(
        collection=collection,
        evaluation=evaluation,
        facts=dict(_facts(evaluation, command)),
        verdict=verdict(results),
        others=[name for name in results[0].scores.means if name != MAIN],
        rows=[_row(one) for one in results],
        timed=any(one.outcome.timings_ms for one in results),
        sized=any(one.outcome.variant.family != one.outcome.variant.label for one in results),
        plots=[{"plot": plot, "svg": Markup(plot.svg())} for plot in plots],  # noqa: S704 - our own
        columns=[one.outcome.variant.label for one in shown],
        queries=list(_queries(evaluation, shown)),
    )


def _row(result: Result) -> dict[str, Any]:
    """One strategy: its means, how sure its gain is, what it costs."""
    variant = result.outcome.variant
    return {
        "variant": variant,
        "means": result.scores.means,
        "gain": result.versus_none,
        "mark": _mark(result.versus_none, result.p_holm),
        "p_holm": result.p_holm,
        "latency": latencies(result.outcome.timings_ms).get("total"),
    }


def _mark(comparison: Comparison | None, p_holm: float | None) -> str:
    """How a row looks: a gain or a loss that is more than luck."""
    if comparison is None or p_holm is None or p_holm >= 0.05:
        return ""
    return "won" if comparison.difference > 0 else "lost"


def _queries(evaluation: Evaluation, shown: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Every query with nDCG@10 before and after, those that lost most first."""
    if evaluation.baseline is None:
        return
    before = evaluation.baseline.scores
    columns = [one.scores.values[MAIN] - before.values[MAIN] for one in shown]
    worst = {
        place: min((float(column[place]) for column in columns), default=0.0)
        for place in range(len(before.queries))
    }
    for place in sorted(worst, key=worst.__getitem__):
        query = before.queries[place]
        yield {
            "id": query,
            "text": evaluation.collection.queries[query],
            "relevant": sum(grade > 0 for grade in evaluation.collection.qrels[query].values()),
            "before": float(before.values[MAIN][place]),
            "differences": [float(column[place]) for column in columns],
        }


def _facts(evaluation: Evaluation, command: str) -> Iterator[tuple[str, str]]:
    """What the figures hold for: first stage, model, machine, versions."""
    collection, model = evaluation.collection, evaluation.model
    yield "First stage", describe_first_stage(evaluation.first_stage)
    yield "Ranked", _RANKED[evaluation.options.through.value]
    yield "First stage hits", str(evaluation.options.k)
    if model:
        yield "Model", f"{model['name']} ({model['fingerprint']})"
        yield "Signals", signals_line(evaluation.results) or "none"
    yield (
        "Judgments",
        f"{sum(map(len, collection.qrels.values()))} of {len(collection.qrels)} queries",
    )
    yield "Machine", _told(machine())
    yield "Versions", ", ".join(f"{name} {version}" for name, version in versions().items())
    if command:
        yield "Command", command


_RANKED = {
    "engine": "by real searches: window search, sidecar, rescore",
    "memory": "by the core in memory; no search was made, so none was timed",
}


def _told(found: Mapping[str, Any]) -> str:
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB, "
        f"{found['system']}; load {found['load_1m']} at the end"
    )


def _signed(value: float, digits: int = 4) -> str:
    """A difference with its sign; a real minus, and nothing before a zero."""
    shown = value if round(value, digits) else 0.0
    return f"{shown:{'+' if shown else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")
