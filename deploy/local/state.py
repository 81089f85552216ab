"""What is kept of a node's process, to find it again and to be sure that it is the same one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.local.recipe import EngineName


@dataclass(frozen=True, slots=True)
class State:
    """The last start of a node.

    ``started`` is in clock ticks, ``ports`` are HTTP and transport, ``plugin`` as in Distribution.
    """

    pid: int
    started: int
    ports: tuple[int, int]
    engine: EngineName
    version: str
    heap: str
    plugin: str | None = None

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The state in ``file``; None if there is none or it cannot be read as one."""
        try:
            fields = json.loads(file.read_text("utf-8"))
            http, transport = fields.pop("ports")
            return cls(ports=(http, transport), **fields)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, file: Path) -> None:
        """Replace ``file`` in one step."""
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1), "utf-8")
        partial.replace(file)
