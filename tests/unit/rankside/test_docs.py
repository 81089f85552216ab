"""The commands that the documentation shows exist, with the options it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from rankside.cli.root import app

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
HEADING = re.compile(r"^#+ (.*)", re.MULTILINE)


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


def links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of each link that leads to another place of these pages."""
    return LINK.findall(CODE.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> list[str]:
    """What GitHub calls the headings: their words in small letters, joined by hyphens."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    shown = [re.sub(r"\]\([^)]*\)", "", heading) for heading in HEADING.findall(text)]
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in shown]


def test_an_anchor_is_a_heading_as_github_writes_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `GET /_a/b`, and [more](x.md)\n```sh\n# none\n```\n## 7. So: does it?\n")
    assert anchors(page) == ["get-_ab-and-more", "7-so-does-it"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {path}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {path}#{anchor}"


def test_the_documentation_has_links_to_check() -> None:
    found = [link for page in PAGES for link in links(page)]
    assert len(found) > 50
    assert sum(bool(anchor) for _, anchor in found) > 10
