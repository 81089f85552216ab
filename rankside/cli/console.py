"""What every command shares: consoles, option types, JSON output, exit codes."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from plugin.ranking.errors import (
    DeadlineExceeded,
    EngineError,
    ModelError,
    Overloaded,
    PartlyDone,
    RanksideError,
    SettingsError,
    SidecarError,
    UsageError,
)

if TYPE_CHECKING:
    from deploy.local import Progress as NodeProgress

MOST_HITS = 10_000  # as many as an engine's `index.max_result_window`

out = Console()
err = Console(stderr=True)


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    ENGINE = 3
    SIDECAR = 4
    PARTLY_DONE = 5


_EXITS: Sequence[tuple[type[RanksideError], Exit]] = (
    (UsageError, Exit.USAGE),
    (EngineError, Exit.ENGINE),
    (SidecarError, Exit.SIDECAR),
    (ModelError, Exit.SIDECAR),
    (Overloaded, Exit.SIDECAR),
    (DeadlineExceeded, Exit.SIDECAR),
    (PartlyDone, Exit.PARTLY_DONE),
)


def exit_code(error: RanksideError) -> Exit:
    """The exit code that an error ends a command with."""
    return next((code for kind, code in _EXITS if isinstance(error, kind)), Exit.FAILED)


JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Engine address; default: settings, else the local engine."),
]
SidecarOption = Annotated[
    str | None, typer.Option("--sidecar", help="Sidecar address; default: settings.")
]
IndexOption = Annotated[str, typer.Option("--index", help="Index or alias.")]
ConfigOption = Annotated[
    str | None, typer.Option("--config", help="Settings file (TOML); default: RANKSIDE_CONFIG.")
]


def called_as() -> list[str]:
    """The words this program was called by, for a command line that the user can copy.

    `make demo` calls `.venv/bin/rankside`, which is on no PATH.
    """
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return [sys.executable, "-m", "rankside"]
    return [program.name if shutil.which(program.name) == sys.argv[0] else sys.argv[0]]


def print_json(value: Any) -> None:
    """One JSON document on standard output, never wrapped or coloured."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def check_writable(option: str, file: Path, *, make_folder: bool = False) -> None:
    """Say at once, not after the work, that the file of ``option`` cannot be written.

    Raises:
        SettingsError: it cannot, or its folder is not there and not to be made.
    """
    with _writing(option, file):
        if file.exists():
            file.open("ab").close()
            return
        if make_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=file.parent).close()


def check_folder(option: str, folder: Path) -> None:
    """The same of a folder, which is made where it is not there.

    Raises:
        SettingsError: nothing can be written there.
    """
    with _writing(option, folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def write_file(option: str, path: Path, text: str) -> None:
    """Write the file of ``option``.

    Raises:
        SettingsError: it cannot be written.
    """
    with _writing(option, path):
        path.write_text(text, encoding="utf-8")


@contextmanager
def _writing(option: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"{option} {path} cannot be written ({error.strerror}); give another path"
        ) from error


def progress(*columns: ProgressColumn, quiet: bool = False) -> Progress:
    """A progress bar with count, elapsed and remaining time on standard error.

    Silent where standard error is no terminal or ``quiet`` is set. ``columns`` are put at the end.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        *columns,
        console=err,
        disable=quiet or not err.is_terminal,
    )


@contextmanager
def node_progress(*, quiet: bool = False) -> Iterator[NodeProgress]:
    """What `deploy.local.up` reports to: a bar on standard error, which names the step.

    Silent where standard error is no terminal or ``quiet`` is set.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    silent = quiet or not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=silent) as bar:
        task = bar.add_task("looking for what is here already", total=1.0)
        yield lambda step, done: bar.update(task, description=step, completed=done)


def counts_of(option: str, text: str | None) -> tuple[int, ...]:
    """The whole numbers in the comma-separated ``text`` of ``option``; none where it is not given.

    Raises:
        SettingsError: one is no number from 1 to 10,000.
    """
    try:
        counts = tuple(int(name) for name in names_of(text) or ())
    except ValueError:
        counts = (0,)
    if not all(1 <= count <= MOST_HITS for count in counts):
        raise SettingsError(
            f"{option} is {text!r}; give whole numbers from 1 to {MOST_HITS}, with commas"
        )
    return counts


def names_of(text: str | None) -> tuple[str, ...] | None:
    """The names in a comma-separated option; None where it is not given."""
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    return names or None
