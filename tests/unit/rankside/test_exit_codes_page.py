"""The page of exit codes, and what --help says of them, are what the commands do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from plugin.ranking.errors import (
    EngineUnavailable,
    LocalEngineError,
    ModelUnavailable,
    Overloaded,
    PartlyDone,
    RanksideError,
    RequestTooLarge,
    SettingsError,
    SidecarRejected,
)
from rankside.cli.console import Exit, exit_code
from rankside.cli.exits import MEANINGS
from rankside.cli.root import app
from rankside.exit_codes_page import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md"


def commands(within: typer.Typer, *path: str) -> Iterator[tuple[str, ...]]:
    for command in within.registered_commands:
        yield (*path, command.name or command.callback.__name__)
    for group in within.registered_groups:
        yield from commands(group.typer_instance, *path, group.name)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "write it anew: python -m rankside.exit_codes_page > docs/reference/exit-codes.md"
    )


def test_every_command_names_its_exit_codes() -> None:
    there = list(commands(app))
    assert {" ".join(path) for path in there} == set(MEANINGS)
    for path in there:
        shown = CliRunner().invoke(app, [*path, "--help"]).output
        told = shown[shown.index("Exit codes: 0 good") :]
        for code in MEANINGS[" ".join(path)]:
            assert f" {code} " in told, (path, code)


def test_every_code_has_its_row() -> None:
    rows = re.findall(r"^\| (\d) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == sorted(Exit)


def test_every_error_ends_with_the_code_of_its_side() -> None:
    ends = {
        RanksideError(): Exit.FAILED,
        SettingsError(): Exit.USAGE,
        RequestTooLarge(): Exit.USAGE,
        EngineUnavailable(): Exit.ENGINE,
        LocalEngineError(): Exit.ENGINE,
        SidecarRejected("", status=500): Exit.SIDECAR,
        ModelUnavailable(): Exit.SIDECAR,
        Overloaded("", retry_after=1): Exit.SIDECAR,
        PartlyDone(): Exit.PARTLY_DONE,
    }
    assert {type(error): exit_code(error) for error in ends} == {
        type(error): code for error, code in ends.items()
    }
