"""What commands that measure share: their options, progress, and where the engine comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plugin.ranking.errors import SettingsError
from rankside.access import engine_options, named_engine
from rankside.cli.console import check_writable, print_json, progress, write_file
from rankside.cli.engine import start_engine
from rankside.settings import Settings

if TYPE_CHECKING:
    from connectors.options import EngineOptions
    from evaluation.memory import Track

STDOUT = "-"

JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
]
AnalyzerOption = Annotated[
    str, typer.Option(help="Text analyzer of the index made here, as `english`.")
]


def json_file(json_out: str | None) -> Path | None:
    """The file of `--json`; None where it goes to standard output, or nowhere."""
    return Path(json_out) if json_out is not None and json_out != STDOUT else None


def check_json(json_out: str | None) -> None:
    """See that `--json` can be written before the hours it may take to have what it holds.

    Raises:
        SettingsError: it cannot.
    """
    file = json_file(json_out)
    if file is not None:
        check_writable("--json", file, make_folder=True)


def write_json(document: dict[str, Any], json_out: str | None) -> None:
    """Write the document of `--json`, where that is given.

    Raises:
        SettingsError: the file cannot be written.
    """
    file = json_file(json_out)
    if file is not None:
        write_file("--json", file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    elif json_out == STDOUT:
        print_json(document)


def engine_to_measure(settings: Settings, url: str | None, *, quiet: bool) -> EngineOptions:
    """The engine named, else set, else the local one that runs, else OpenSearch, started."""
    named = named_engine(settings, url)
    if named is None and _local_runs():
        named = engine_options(settings)
    return named or start_engine(settings, quiet=quiet)


@contextmanager
def tracked(*, quiet: bool) -> Iterator[Track]:
    """Progress bars, one a step."""
    with progress(quiet=quiet) as bar:

        def track(description: str, total: int) -> Callable[[int], None]:
            task = bar.add_task(description, total=total)
            return lambda steps: bar.advance(task, steps)

        yield track


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """The whole numbers of a comma-separated option.

    Raises:
        SettingsError: one is none.
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"{option} is {text!r}; give whole numbers like 20,50,100") from error


def _local_runs() -> bool:
    from deploy import local

    return any(local.status(name) is not None for name in local.ENGINES)
