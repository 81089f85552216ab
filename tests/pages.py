"""Pages of the documentation as tests: their commands run in order, their answers compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ANYTHING = "…"

_STOP = "\nStop it, with Ctrl-C"  # as the pages say of the sidecar
_BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A block of commands and what the page says they print: JSON documents, or lines.

    ``place`` is where the block begins, in characters of the page.
    """

    commands: str
    place: int
    documents: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def check(self, printed: str) -> None:
        """See that ``printed`` is what the page says, which may leave parts out."""
        told = f"{self.commands}\nprinted\n{printed}"
        if self.lines:
            found = [_single_spaced(line) for line in printed.splitlines()]
            assert [line for line in self.lines if not _among(line, found)] == [], told
            return
        held = documents(printed)
        assert len(held) == len(self.documents), told
        assert all(map(agrees, self.documents, held)), told


def steps(page: str) -> list[Step]:
    """The page's blocks of commands in order, each with the blocks that follow it."""
    found: list[Step] = []
    for block in _BLOCK.finditer(page):
        kind, text = block.groups()
        if kind == "sh":
            found.append(Step(text, block.start()))
        elif kind == "text":
            found[-1].lines.extend(map(_single_spaced, text.splitlines()))
        else:
            found[-1].documents.extend(documents(text))
    return found


def documents(text: str) -> list[Any]:
    """JSON documents one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


def agrees(said: Any, printed: Any) -> bool:
    """Whether what is printed is what is said, which may leave out keys and name any value `…`."""
    if said == ANYTHING:
        return not isinstance(printed, dict | list)
    if isinstance(said, dict):
        held = isinstance(printed, dict) and said.keys() <= printed.keys()
        return held and all(agrees(value, printed[key]) for key, value in said.items())
    if isinstance(said, list):
        same = isinstance(printed, list) and len(said) == len(printed)
        return same and all(map(agrees, said, printed))
    if isinstance(said, float):
        return bool(printed == pytest.approx(said, abs=1e-3))
    return bool(said == printed)


def follow(
    page: Path, engine: str, sidecar: str, *, begins: Sequence[str], stop: Callable[[], object]
) -> list[Step]:
    """Run a tutorial's blocks in order and compare what they print; the blocks that were run.

    Its first two are not run: they start an engine and a sidecar and say where those are. They are
    the lines ``begins``; ``engine`` and ``sidecar`` are the addresses of the test's own. ``stop``
    ends the sidecar where the page says to, if it does; it may be called more than once.
    """
    text = page.read_text("utf-8")
    start, addresses, *rest = steps(text)
    assert [*start.commands.splitlines(), *addresses.commands.splitlines()] == list(begins)
    stops = text.index(_STOP) if _STOP in text else len(text)
    with shell() as bash:
        bash.run(f"engine={engine}\nsidecar={sidecar}")
        for step in rest:
            if step.place > stops:
                stop()
            step.check(bash.run(step.commands))
    return rest


class Shell:
    """One shell in the project's folder for all blocks: later ones see what earlier ones set."""

    _END = "--- end of block ---"

    def __init__(self, bash: subprocess.Popen[str]) -> None:
        self._bash = bash

    def run(self, commands: str) -> str:
        """What they print; they must all succeed."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        # Not the shell's own standard input, which a command could read the next block from.
        self._bash.stdin.write(
            f"{{ {commands}\n}} < /dev/null; ended=$?; echo; echo '{self._END}' $ended\n"
        )
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(self._END):
                assert line.split()[-1] == "0", (commands, lines)
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended: {commands}\n{lines}")


@contextmanager
def shell() -> Iterator[Shell]:
    """A shell that finds the project's commands; nothing of the caller's settings reaches them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANKSIDE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-o", "errexit", "-o", "pipefail"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**kept, "PATH": path, "COLUMNS": "120"},
    ) as bash:
        try:
            yield Shell(bash)
        finally:
            bash.kill()


def _among(said: str, printed: Sequence[str]) -> bool:
    """Whether a line is one of those printed; `…` in it is anything."""
    pattern = ".*".join(map(re.escape, said.split(ANYTHING)))
    return any(re.fullmatch(pattern, line) for line in printed)


def _single_spaced(line: str) -> str:
    return " ".join(line.split())
