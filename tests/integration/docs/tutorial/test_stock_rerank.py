"""The tutorial of the stock path, run block by block as it stands on the page."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.serving import serving

PAGE = Path(__file__).parents[4] / "docs" / "tutorial" / "stock-rerank.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```", re.DOTALL | re.MULTILINE)
STOP = "\nStop it, with Ctrl-C"
ANYTHING = "…"


@dataclass(frozen=True)
class Step:
    """A block of commands, what the page says they print, and where on the page they are."""

    commands: str
    prints: list[Any]
    place: int


def steps(page: str) -> list[Step]:
    """The page's blocks of commands in order, each with the block of JSON that follows it."""
    found: list[Step] = []
    for block in BLOCK.finditer(page):
        kind, text = block.groups()
        if kind == "sh":
            found.append(Step(text, [], block.start()))
        else:
            found[-1].prints.extend(documents(text))
    return found


def documents(text: str) -> list[Any]:
    """JSON documents one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


class Shell:
    """One shell in which all blocks are run, so that later ones see what earlier ones set."""

    _END = "--- end of block ---"

    def __init__(self) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str) -> str:
        """What they print; they must all succeed."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{commands}\necho; echo '{self._END}' $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(self._END):
                assert line.split()[-1] == "0", lines
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended: {lines}")

    def close(self) -> None:
        with self._bash:
            self._bash.kill()


@pytest.fixture
def shell() -> Iterator[Shell]:
    shell = Shell()
    yield shell
    shell.close()


@pytest.fixture
def engine(opensearch_url: str) -> Iterator[str]:
    """The node, whose settings are as before in the end, and which has nothing of the tutorial."""
    yield opensearch_url
    with httpx.Client(base_url=opensearch_url, timeout=30) as client:
        ours = ("trusted_connector_endpoints_regex", "connector.private_ip_enabled")
        unset = {f"plugins.ml_commons.{name}": None for name in ours}
        client.put("/_cluster/settings", json={"persistent": unset}).raise_for_status()
        client.delete("/_search/pipeline/tutorial-rerank")
        client.delete("/tutorial-notes")


def agrees(said: Any, printed: Any) -> bool:
    """Whether what is printed is what the page says, which may leave parts out."""
    if said == ANYTHING:
        return isinstance(printed, str)
    if isinstance(said, dict):
        held = isinstance(printed, dict) and said.keys() <= printed.keys()
        return held and all(agrees(value, printed[key]) for key, value in said.items())
    if isinstance(said, list):
        same = isinstance(printed, list) and len(said) == len(printed)
        return same and all(map(agrees, said, printed))
    if isinstance(said, float):
        return bool(printed == pytest.approx(said, abs=1e-3))
    return bool(said == printed)


def test_every_block_prints_what_the_page_says(engine: str, minilm: Encoder, shell: Shell) -> None:
    page = PAGE.read_text(encoding="utf-8")
    start, addresses, *rest = steps(page)
    assert start.commands.split("\n")[1] == "rankside serve"
    assert addresses.commands.startswith("engine=")
    stops = page.index(STOP)
    ran = 0
    with ExitStack() as running:
        sidecar = running.enter_context(serving(create_app(SidecarOptions(), minilm)))
        shell.run(f"engine={engine}\nsidecar={sidecar}")
        for step in rest:
            if step.place > stops:
                running.close()  # the sidecar
            printed = shell.run(step.commands)
            held = documents(printed)
            told = f"{step.commands}\nprinted\n{printed}"
            assert len(held) == len(step.prints), told
            assert all(map(agrees, step.prints, held)), told
            ran += len(held) > 0
    assert ran == 11, "blocks that print something"


@pytest.mark.parametrize(
    ("said", "printed", "agree"),
    [
        ({"a": "…"}, {"a": "x", "b": 1}, True),
        ({"a": "…"}, {"b": 1}, False),
        ([0.5], [0.5004], True),
        ([0.5], [0.51], False),
        ([{"_id": "a"}, {"_id": "b"}], [{"_id": "b"}, {"_id": "a"}], False),
        ([1], [1, 2], False),
        ("a", "b", False),
    ],
)
def test_what_is_printed_has_to_be_what_is_said(said: Any, printed: Any, *, agree: bool) -> None:
    assert agrees(said, printed) is agree
