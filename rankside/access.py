"""Where a command finds engine and sidecar: what is typed, then the settings, then this machine."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.options import EngineOptions, SidecarClientOptions
from plugin.ranking.errors import SettingsError
from rankside.settings import Settings, wrong_value

Table = TypeVar("Table", bound=BaseModel)


def engine_options(settings: Settings, url: str | None = None) -> EngineOptions:
    """The engine's options with an address.

    Raises:
        SettingsError: none is given or set, and no local engine runs.
    """
    if url is None and settings.engine.url is not None:
        return settings.engine
    return override(settings.engine, "engine", url=_local_url() if url is None else url)


def client_options(settings: Settings, sidecar: str | None = None) -> SidecarClientOptions:
    """The options of the sidecar's client."""
    return override(settings.client, "client", url=sidecar)


def named_engine(settings: Settings, url: str | None) -> EngineOptions | None:
    """The engine's options where it is named or set; None where a command may start its own."""
    chosen = url is not None or settings.engine.url is not None
    return engine_options(settings, url) if chosen else None


def named_client(settings: Settings, sidecar: str | None) -> SidecarClientOptions | None:
    """The client's options where the sidecar is named or set; None as for the engine."""
    chosen = sidecar is not None or "url" in settings.client.model_fields_set
    return client_options(settings, sidecar) if chosen else None


def override(options: Table, table: str, **given: Any) -> Table:
    """``options`` with those of the command line that are not None, checked like every other.

    Raises:
        SettingsError: a value is wrong.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return type(options).model_validate({**options.model_dump(), **changes})
    except ValidationError as error:
        raise SettingsError(wrong_value(error, table)) from error


def _local_url() -> str:
    from deploy import local

    for engine in ("opensearch", "elasticsearch"):
        node = local.status(engine)
        if node is not None:
            return node.url
    raise SettingsError(
        "no engine is named and none runs here; give --url, set RANKSIDE_ENGINE__URL, or start one "
        "with `rankside engine up`"
    )
