"""The page of exit codes holds those there are."""

from __future__ import annotations

import re
from pathlib import Path

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

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md"


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
