"""Where the results of `rankside eval` go: a terminal, JSON, a page, plots, TREC runs."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.ranking.errors import PartlyDone
from rankside.cli.console import (
    called_as,
    check_folder,
    check_writable,
    err,
    out,
    print_json,
    write_file,
)
from rankside.cli.measuring import STDOUT

if TYPE_CHECKING:
    from evaluation.session import Evaluation


@dataclass(frozen=True, slots=True)
class Places:
    """Where results go, as typed."""

    json_out: str | None
    html: Path | None
    plots: Path | None
    runs: Path | None

    @property
    def quiet(self) -> bool:
        """Whether standard output is for JSON alone."""
        return self.json_out == STDOUT

    @property
    def json_file(self) -> Path | None:
        """The file for JSON, if it is one."""
        return Path(self.json_out) if self.json_out is not None and not self.quiet else None

    def check(self) -> None:
        """See that the results can be written before the hours it may take to have them."""
        for option, file in (("--json", self.json_file), ("--html", self.html)):
            if file is not None:
                check_writable(option, file, make_folder=True)
        for option, folder in (("--plots", self.plots), ("--runs-out", self.runs)):
            if folder is not None:
                check_folder(option, folder)


def publish(evaluation: Evaluation, places: Places, *, per_query: bool) -> None:
    """Print and write the results.

    Raises:
        SettingsError: a file cannot be written; the others are.
        PartlyDone: not every search was reranked.
    """
    from evaluation.experiment import unranked

    document = evaluation.to_json(per_query=per_query)
    if places.quiet:
        print_json(document)
    else:
        _print(evaluation)
    _write(evaluation, document, places)
    left = unranked([result.outcome for result in evaluation.results])
    if left:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(left.items()))
        raise PartlyDone(
            f"not every search was reranked: {reasons}; the figures hold what was returned"
        )


def _write(evaluation: Evaluation, document: dict[str, Any], places: Places) -> None:
    """Every file that was asked for; whatever can be kept of a finished run is."""
    from evaluation.report import write_runs

    with ExitStack() as rest:
        if places.html is not None or places.plots is not None:
            rest.callback(_write_pictures, evaluation, places)
        if places.runs is not None:
            rest.callback(write_runs, places.runs, evaluation.results, evaluation.collection.name)
        if places.json_file is not None:
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            write_file("--json", places.json_file, text)


def _write_pictures(evaluation: Evaluation, places: Places) -> None:
    from evaluation.html_report import html_report
    from evaluation.plots import plots

    drawn = plots(evaluation.baseline, evaluation.results) if evaluation.baseline else []
    if places.html is not None:
        command = shlex.join([*called_as(), *sys.argv[1:]])
        write_file("--html", places.html, html_report(evaluation, drawn, command))
    if places.plots is not None:
        for plot in drawn:
            plot.write(places.plots, evaluation.collection.name)


def _print(evaluation: Evaluation) -> None:
    from evaluation.report import describe_first_stage, results_table, signals_line, verdict

    collection, options = evaluation.collection, evaluation.options
    split = f" ({collection.split})" if collection.split else ""
    first = describe_first_stage(evaluation.first_stage)
    title = (
        f"{collection.name}{split}: {len(collection.queries)} queries, "
        f"{evaluation.documents} documents, window {options.k}"
    )
    out.print(results_table(evaluation.results, title))
    out.print(verdict(evaluation.results), highlight=False)
    told = f"First stage: {first}. Ranked through: {options.through.value}."
    out.print(told, highlight=False, markup=False)  # a user's query may have brackets
    model = evaluation.model
    if model:
        signals = signals_line(evaluation.results)
        out.print(f"Model: {model['name']} ({model['fingerprint']}). {signals}.", highlight=False)
    err.print(f"Seconds: {evaluation.seconds}", highlight=False)
