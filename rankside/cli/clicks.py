"""`rankside clicks`: which of two strategies people prefer, by a log of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.cli.console import err, out
from rankside.cli.measuring import STDOUT, JsonOption, check_json, write_json

if TYPE_CHECKING:
    from evaluation.preferences import Log

_SHOWN = 5

FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="JSONL of votes: docs/reference/click-log.md."),
]
ShowOption = Annotated[
    int, typer.Option("--show", min=0, help="Queries to show, of those won and of those lost.")
]
PerQueryFlag = Annotated[
    bool, typer.Option("--per-query", help="Put every query's votes into the JSON.")
]


def clicks(
    files: FilesArgument,
    *,
    show: ShowOption = 10,
    json_out: JsonOption = None,
    per_query: PerQueryFlag = False,
) -> None:
    """Say which strategy is preferred, by interleaved searches with their clicks, or by votes.

    Lines that are no votes are named and left out.
    """
    try:
        from evaluation.preference_report import log_json
        from evaluation.preferences import read_log
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[evaluation]"
        ) from error
    check_json(json_out)
    log = read_log(files)
    if json_out != STDOUT:
        _print(log, show)
    write_json(log_json(log, per_query=per_query), json_out)
    if log.faults:
        for fault in log.faults[:_SHOWN]:
            err.print(escape(fault), highlight=False, soft_wrap=True)
        raise PartlyDone(
            f"{len(log.faults)} of {log.lines} lines are no votes and were left out; the report is "
            "of the others"
        )


def _print(log: Log, show: int) -> None:
    from evaluation.preference_report import Preference, preferences_table, queries_table

    found = [Preference(duel) for duel in log.duels]
    out.print(preferences_table(found))
    for one in found:
        if show:
            out.print(queries_table(one, show))
        out.print(escape(one.verdict), highlight=False, soft_wrap=True)
