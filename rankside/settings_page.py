"""The settings as a page: ``python -m rankside.settings_page > docs/reference/settings.md``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from rankside.settings import CONFIG_VARIABLE, Settings

_HEAD = f"""# Settings

One model, checked at the start: a wrong value stops it, naming key and value. Strongest first: environment variables, the TOML file (`--config`, or `{CONFIG_VARIABLE}`), the defaults below. A variable is `RANKSIDE_`, the table, two underscores, the key: `RANKSIDE_MODEL__DEVICE=cuda`; a list or a table in it is JSON.

"""  # noqa: E501 - a paragraph of Markdown is one line


_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def page() -> str:
    """The page as Markdown."""
    tables = "\n".join(
        _table(name, table)
        for name, field in Settings.model_fields.items()
        if (table := _model(field.annotation)) is not None
    )
    return _HEAD + tables


def _table(name: str, model: type[BaseModel]) -> str:
    summary = (model.__doc__ or "").strip().splitlines()[0]
    rows = "\n".join(_rows("", model))
    head = "| key | default | values | |\n|---|---|---|---|"
    return f"## `[{name}]`\n\n{summary}\n\n{head}\n{rows}\n"


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        cells = (f"`{prefix}{key}`", _default(field), _values(field), field.description or "")
        yield f"| {' | '.join(map(_cell, cells))} |"
        nested = _model(field.annotation)
        if nested is not None:
            yield from _rows(f"{prefix}{key}.", nested)


def _model(annotation: Any) -> type[BaseModel] | None:
    """The nested model of an annotation such as ``Table`` or ``Table | None``."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _default(field: FieldInfo) -> str:
    """As TOML and JSON write it, so that it can be copied."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if value is None or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(to_jsonable_python(value))}`"


def _values(field: FieldInfo) -> str:
    """What may be given, where it is a choice or has bounds."""
    choices: list[str] = []
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Enum):
            choices += [one.value for one in candidate]
        elif get_origin(candidate) is Literal:
            choices += get_args(candidate)
    if choices:
        return ", ".join(f"`{one}`" for one in dict.fromkeys(choices))
    bounds = {
        name: getattr(one, name) for one in field.metadata for name in _BOUNDS if hasattr(one, name)
    }
    return ", ".join(f"{sign} {bounds[name]:,}" for name, sign in _BOUNDS.items() if name in bounds)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(page())
