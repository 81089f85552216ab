"""What commands share on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rankside.cli import console


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal would be sent as standard error."""
    sent = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=sent, force_terminal=True, width=80))
    return sent


def test_the_steps_of_a_node_are_shown_on_a_terminal(terminal: io.StringIO) -> None:
    with console.node_progress() as report:
        report("fetching 518 MB", 0.5)
    assert "fetching 518 MB" in terminal.getvalue()


def test_a_node_is_started_silently_where_that_is_asked(terminal: io.StringIO) -> None:
    with console.node_progress(quiet=True) as report:
        report("fetching 518 MB", 0.5)
    assert terminal.getvalue() == ""


def test_a_node_is_started_silently_where_nobody_looks(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "err", Console(file=terminal, force_terminal=False))
    with console.node_progress() as report:
        report("fetching 518 MB", 0.5)
    assert terminal.getvalue() == ""
