"""Settings as text that `load_settings` takes: a TOML file, or environment variables."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plugin.ranking.errors import SettingsError
from rankside.settings import NESTED, PREFIX

MARK = "# Chosen by `rankside tune`"
"""First words of a file that may be written over."""

Table = Mapping[str, Any]


def toml(tables: Table) -> str:
    """``tables`` as TOML: texts, numbers and tables in tables."""
    return "\n".join(_toml(tables, ()))


def environment(tables: Table) -> str:
    """``tables`` as variables, one a line, quoted for a shell where need be."""
    return "\n".join(_variables(tables, ()))


def text_for(path: Path, tables: Table, note: str) -> str:
    """What the file ``path`` is to hold; its name says in which form.

    Raises:
        SettingsError: the name says neither, or the file is there and holds something else.
    """
    forms = {".toml": toml, ".env": environment}
    if path.suffix not in forms:
        raise SettingsError(
            f"--write {path} has to end in .toml, for --config, or in .env, for the environment"
        )
    return f"{MARK}: {note}\n{forms[path.suffix](tables)}\n"


def check_ours(path: Path) -> None:
    """See that a file that is there was written by `rankside tune`.

    Raises:
        SettingsError: it holds something else, which would be lost.
    """
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise SettingsError(
            f"--write {path} is there and was not written by `rankside tune`; give another name"
        )


def _toml(tables: Table, path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    if path and values:
        yield f"[{'.'.join(path)}]"
    for key, value in values.items():
        yield f"{key} = {json.dumps(value)}"
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _toml(value, (*path, key))


def _variables(tables: Table, path: tuple[str, ...]) -> Iterator[str]:
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _variables(value, (*path, key))
        else:
            name = PREFIX + NESTED.join((*path, key)).upper()
            yield f"{name}={shlex.quote(str(value))}"
