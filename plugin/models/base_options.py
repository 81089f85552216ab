"""What every table of settings is, and the values that several of them have."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

AUTO = "auto"
DEVICES = r"^(auto|cpu|mps|cuda(:\d+)?)$"
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Options(BaseModel):
    """Base of the tables: unknown keys are refused, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class EnvironmentFirst(BaseSettings):
    """Base of what is read from the environment and a file, whose values it is made with."""

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
