"""`rankside serve`: the sidecar, in the foreground, with JSON logs on standard error."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.ranking.errors import SettingsError
from rankside.access import override
from rankside.cli.console import ConfigOption
from rankside.settings import load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from plugin.models.llm_options import LLMOptions
    from plugin.models.options import ModelOptions
    from plugin.sidecar.options import SidecarOptions
    from plugin.sidecar.sidecar import OnFatal

# How often a waiting thread of torch's OpenMP pool looks before it sleeps; 300,000 by default
# (libgomp's manual, GOMP_SPINCOUNT). On cores shared with an engine that keeps the thread it waits
# for from running: with two busy processes on 2 cores MiniLM encoded 1.2 times as many documents a
# second with this count, single ones in 0.7 of the time (p95 0.4). Alone it cost nothing, where
# OMP_WAIT_POLICY=PASSIVE made single documents 1.4 times as slow.
SPIN_COUNT = "10000"


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Registry name of the encoder.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None,
    config: ConfigOption = None,
) -> None:
    """Serve the encoder and the rankings until SIGTERM; options win over settings."""
    spin_briefly(os.environ)
    settings = load_settings(config)
    sidecar = override(settings.sidecar, "sidecar", host=host, port=port)
    encoder = override(settings.model, "model", name=model, device=device)
    try:
        from plugin.sidecar import logs, server
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[sidecar] to serve"
        ) from error
    logs.configure(sidecar.log_level)
    make_app = _app_maker(sidecar, encoder, settings.llm)
    server.run(make_app, sidecar, server.listen(sidecar))


def spin_briefly(environment: MutableMapping[str, str]) -> None:
    """Set the spin count of GNU OpenMP, before torch is loaded, unless the user chose a policy."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def _app_maker(
    sidecar: SidecarOptions, encoder: ModelOptions, llm: LLMOptions
) -> Callable[[OnFatal], FastAPI]:
    """The app, given what to call when the model is lost; raises SettingsError for a wrong name."""
    from plugin.models.load import load_encoder, profile_for
    from plugin.models.load_llm import load_llm
    from plugin.sidecar.app import create_app

    profile_for(encoder)

    def make(on_fatal: OnFatal) -> FastAPI:
        return create_app(
            sidecar,
            lambda: load_encoder(encoder),
            load_llm(llm),
            llm_options=llm,
            on_fatal=on_fatal,
        )

    return make
