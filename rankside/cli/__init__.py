"""The ``rankside`` command: each command is a module that is imported only when it is called."""

from __future__ import annotations

from rankside.cli.root import app, main

__all__ = ["app", "main"]
