"""The commands that the documentation shows exist, with the options it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from rankside.cli.root import app

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def shown_commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.strip().removeprefix("$ ")
                if command.startswith("rankside "):
                    found.append((page.name, command))
    return found


def test_the_documentation_shows_commands() -> None:
    assert len(shown_commands()) > 10


@pytest.mark.parametrize(("page", "command"), shown_commands())
def test_a_shown_command_and_its_options_exist(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    node = typer.main.get_command(app)
    while words and hasattr(node, "commands"):
        name = words.pop(0)
        if name.startswith("-"):
            break
        assert name in node.commands, f"{page}: no command {name!r}"
        node = node.commands[name]
    known = {option for parameter in node.params for option in parameter.opts} | {"--help"}
    if "|" in words:
        words = words[: words.index("|")]
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{page}: {command!r} has no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
