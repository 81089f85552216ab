"""Every setting there is, in one bounded model.

Read from, strongest first: ``RANKSIDE_`` environment variables (``RANKSIDE_MODEL__DEVICE=cuda``), a
TOML file, the defaults. A wrong value stops the start, naming key and value.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableVariable

from connectors.options import EngineOptions, SidecarClientOptions
from pipelines.options import PipelineOptions
from plugin.models.base_options import EnvironmentFirst
from plugin.models.llm_options import LLMOptions
from plugin.models.options import ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.sidecar.options import SidecarOptions

CONFIG_VARIABLE = "RANKSIDE_CONFIG"
PREFIX = "RANKSIDE_"
NESTED = "__"
_PAGE = "docs/reference/settings.md"


class Settings(EnvironmentFirst):
    """The settings of every command, one table a part."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    engine: EngineOptions = Field(default_factory=EngineOptions)
    client: SidecarClientOptions = Field(default_factory=SidecarClientOptions)
    sidecar: SidecarOptions = Field(default_factory=SidecarOptions)
    model: ModelOptions = Field(default_factory=ModelOptions)
    llm: LLMOptions = Field(default_factory=LLMOptions)
    pipelines: PipelineOptions = Field(default_factory=PipelineOptions)


def load_settings(config: str | None = None) -> Settings:
    """The settings of ``config`` (a TOML file; default: the one ``RANKSIDE_CONFIG`` names).

    Raises:
        SettingsError: the file cannot be read, or a value is wrong.
    """
    path = config or os.environ.get(CONFIG_VARIABLE)
    values = _read(Path(path)) if path else {}
    _check_variables(os.environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(f"setting {wrong_value(error)}") from error
    except UnreadableVariable as error:
        raise SettingsError(
            f"an environment variable cannot be read ({error}): write a list or a table as JSON, "
            """like RANKSIDE_PIPELINES__TEXT_FIELDS='["title", "text"]'"""
        ) from error


def wrong_value(error: ValidationError, table: str | None = None) -> str:
    """The first fault as "key = value is wrong: why"; a secret's value is not in it."""
    first = error.errors(include_url=False)[0]
    key = ".".join([*([table] if table else []), *map(str, first["loc"])])
    if first["type"] == "extra_forbidden":
        return f"{key} does not exist; {_PAGE} has all there are"
    why = first["msg"].removeprefix("Value error, ")
    if str(first.get("ctx", {}).get("pattern", "")).startswith("^https?"):
        why = "write an address like http://127.0.0.1:9200, without credentials"
    return f"{key}{_shown(key, first.get('input'))} is wrong: {why}"


def _check_variables(names: Iterable[str]) -> None:
    """Refuse a variable of a table that does not exist, which would be ignored otherwise.

    Only those with a key: a cluster may set some of its own for a service called rankside, such as
    ``RANKSIDE_SERVICE_HOST``.
    """
    for name in map(str.upper, names):
        table, nested, _ = name.removeprefix(PREFIX).partition(NESTED)
        known = table.lower() in Settings.model_fields
        if name.startswith(PREFIX) and nested and not known:
            raise SettingsError(
                f"there are no settings {name} belongs to; {_PAGE} has all there are"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}") from error


def _shown(key: str, value: object) -> str:
    """A single value, unless it may be a secret: by its key, or as part of an address."""
    if any(word in key for word in ("key", "password")) or "@" in str(value):
        return " = (hidden)"
    return f" = {value!r}" if isinstance(value, (str, int, float)) else ""
