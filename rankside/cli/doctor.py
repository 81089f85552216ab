"""`rankside doctor`: is everything there that a reranked search needs?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from plugin.ranking.errors import SettingsError
from rankside.access import client_options, override
from rankside.checks.finding import Finding, Level, Side
from rankside.cli.console import (
    ConfigOption,
    Exit,
    JsonFlag,
    SidecarOption,
    UrlOption,
    out,
    print_json,
)
from rankside.doctor import examine, worst
from rankside.settings import Settings, load_settings

_SIGNS = {
    Level.GOOD: ("✓", "green"),
    Level.WARNING: ("!", "yellow"),
    Level.PROBLEM: ("✗", "red"),
    Level.NOT_RUN: ("-", "dim"),
}
_EXITS = {Side.SETTINGS: Exit.USAGE, Side.ENGINE: Exit.ENGINE, Side.SIDECAR: Exit.SIDECAR}


def doctor(
    *,
    index: Annotated[
        str | None, typer.Option("--index", help="Index or alias to look at as well.")
    ] = None,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Look at engine, index and sidecar; every line that is not good names its remedy."""
    findings = asyncio.run(_examine(config, url, sidecar, index, quiet=as_json))
    side = worst(findings)
    code = Exit.GOOD if side is None else _EXITS[side]
    if as_json:
        print_json({"exit": code, "findings": [asdict(finding) for finding in findings]})
    raise typer.Exit(code)


async def _examine(
    config: str | None, url: str | None, sidecar: str | None, index: str | None, *, quiet: bool
) -> list[Finding]:
    findings = []
    try:
        settings = _settings(config, url, sidecar)
    except SettingsError as error:
        wrong = Finding("settings", Level.PROBLEM, str(error), "correct it", Side.SETTINGS)
        _print(wrong, quiet=quiet)
        return [wrong]
    loaded = Finding("settings", Level.GOOD, "they load", side=Side.SETTINGS)
    _print(loaded, quiet=quiet)
    findings.append(loaded)
    async for finding in examine(settings, index):
        _print(finding, quiet=quiet)
        findings.append(finding)
    return findings


def _settings(config: str | None, url: str | None, sidecar: str | None) -> Settings:
    settings = load_settings(config)
    return settings.model_copy(
        update={
            "engine": override(settings.engine, "engine", url=url),
            "client": client_options(settings, sidecar),
        }
    )


def _print(finding: Finding, *, quiet: bool) -> None:
    if quiet:
        return
    sign, style = _SIGNS[finding.level]
    line = Text(f"{sign} ", style=style)
    line.append(f"{finding.name:<18}", style="bold").append(f" {finding.sentence}", style="default")
    out.print(line, soft_wrap=True)
    if finding.remedy:
        out.print(Text(f"{'':<21}→ {finding.remedy}"), soft_wrap=True)
