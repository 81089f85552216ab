"""The settings as a page: ``python -m rankside.settings_page > docs/reference/settings.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rankside.settings import CONFIG_VARIABLE, Settings

_HEAD = f"""# Settings

One model, checked at the start: a wrong value stops it, naming key and value. Strongest first: environment variables, the TOML file (`--config`, or `{CONFIG_VARIABLE}`), the defaults below. A variable is `RANKSIDE_`, the table, two underscores, the key: `RANKSIDE_MODEL__DEVICE=cuda`; a list or a table in it is JSON.

"""  # noqa: E501 - a paragraph of Markdown is one line


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
    return f"## `[{name}]`\n\n{summary}\n\n| key | default | |\n|---|---|---|\n{rows}\n"


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield f"| `{prefix}{key}` | {_default(field)} | {_cell(field.description or '')} |"
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
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if value is None or isinstance(value, BaseModel):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(page())
