"""The LLM of the settings, for measurements that need nothing else of them."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from plugin.models.base_options import EnvironmentFirst
from plugin.models.llm_options import LLMOptions
from plugin.ranking.errors import SettingsError


class _Settings(EnvironmentFirst):
    model_config = SettingsConfigDict(
        env_prefix="RANKSIDE_",
        env_nested_delimiter="__",
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    llm: LLMOptions = Field(default_factory=LLMOptions)


def llm_settings(config: Path | None) -> LLMOptions:
    """The `[llm]` table of ``config`` (default: RANKSIDE_CONFIG) and ``RANKSIDE_LLM__…``.

    Raises:
        SettingsError: the file cannot be read, a value is wrong, or no LLM is named.
    """
    path = config or os.environ.get("RANKSIDE_CONFIG")
    try:
        values: dict[str, Any] = tomllib.loads(Path(path).read_text("utf-8")) if path else {}
        options = _Settings(llm=values.get("llm", {})).llm
    except (OSError, ValidationError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the LLM's settings are wrong: {error}") from error
    if options.url is None and options.path is None:
        raise SettingsError("no LLM is named; set RANKSIDE_LLM__URL or RANKSIDE_LLM__PATH")
    return options
