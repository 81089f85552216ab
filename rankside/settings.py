"""Every setting there is, in one bounded model.

Read from, strongest first: ``RANKSIDE_`` environment variables (``RANKSIDE_MODEL__DEVICE=cuda``), a
TOML file, the defaults. A wrong value stops the start, naming key and value.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from connectors.options import EngineOptions, SidecarClientOptions
from pipelines.options import PipelineOptions
from plugin.models.options import LLMOptions, ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.sidecar.options import SidecarOptions

CONFIG_VARIABLE = "RANKSIDE_CONFIG"


class Settings(BaseSettings):
    """The settings of every command, one table a part."""

    model_config = SettingsConfigDict(
        env_prefix="RANKSIDE_",
        env_nested_delimiter="__",
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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic passes all five by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is stronger than the file, which arrives as the initial values."""
        return env_settings, init_settings


def load_settings(config: str | None = None) -> Settings:
    """The settings of ``config`` (a TOML file; default: the one ``RANKSIDE_CONFIG`` names).

    Raises:
        SettingsError: the file cannot be read, or a value is wrong.
    """
    path = config or os.environ.get(CONFIG_VARIABLE)
    values = _read(Path(path)) if path else {}
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {key} = {_shown(first)} is wrong: {first['msg']}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}") from error


def _shown(error: Any) -> str:
    """The wrong value, unless its key is one of a secret."""
    secret = any(word in str(part) for part in error["loc"] for word in ("key", "password"))
    return "(hidden)" if secret else repr(error.get("input"))
