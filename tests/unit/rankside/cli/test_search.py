"""Which window `rankside search` asks for."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.search import SearchOptions
from plugin.ranking.errors import SettingsError
from rankside.cli import search
from rankside.cli.root import app


@pytest.mark.parametrize(
    ("variable", "typed", "window"),
    [(None, (), 100), ("50", (), 50), ("50", ("--window", "7"), 7)],
)
def test_the_window_is_the_typed_one_else_the_settings_else_100(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, typed: tuple[str, ...], window: int
) -> None:
    asked: list[SearchOptions] = []

    async def stopped(_index: str, _body: object, options: SearchOptions, _where: object) -> Any:
        asked.append(options)
        raise SettingsError("no engine is asked here")

    monkeypatch.setattr(search, "_search", stopped)
    monkeypatch.delenv("RANKSIDE_PIPELINES__WINDOW", raising=False)
    if variable is not None:
        monkeypatch.setenv("RANKSIDE_PIPELINES__WINDOW", variable)

    CliRunner().invoke(app, ["search", "words", "--index", "any", *typed])

    assert [options.window for options in asked] == [window]
