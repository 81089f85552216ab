"""`make bench`: the speed of this machine as a table, and as JSON with `--json`."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import typer
from rich.console import Console

from connectors.connect import connect
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from deploy import local
from evaluation import speed
from evaluation.local_sidecar import local_sidecar
from evaluation.machine import machine, versions
from evaluation.speed import Bench
from evaluation.speed_table import show
from plugin.models.base_options import AUTO
from plugin.models.load import load_encoder
from plugin.models.options import ModelOptions
from plugin.ranking.errors import RanksideError

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)


@app.command()
def bench(
    *,
    url: Annotated[
        str | None, typer.Option(help="Engine; default: the local OpenSearch, started if need be.")
    ] = None,
    model: Annotated[str, typer.Option(help="Registry name of the encoder.")] = AUTO,
    seconds: Annotated[
        float, typer.Option(min=1, max=600, help="Measuring time of each section.")
    ] = 20.0,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
    ] = None,
) -> None:
    """Measure encoder, sidecar, whole searches, and the fast path against the published way.

    Everything is on 127.0.0.1; with the default time it takes under three minutes once the
    engine's parts are on disk. Other work on the machine shows in the spread, and in `load_1m`.
    """
    started = time.perf_counter()
    try:
        found = asyncio.run(_measure(Bench(seconds), model, url or local.up("opensearch").url))
    except RanksideError as error:
        err.print(f"[bold red]bench:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = {**found, "seconds": round(time.perf_counter() - started, 1)}
    show(document, f"{document['model']}, milliseconds", json_out)


async def _measure(bench: Bench, model: str, url: str) -> dict[str, Any]:
    load = machine()  # before we are the load
    encoder = load_encoder(ModelOptions(name=model))
    err.print("encoder …", highlight=False)
    await speed.bench_encoder(bench, encoder)
    arguments = [] if model == AUTO else ["--model", model]
    with local_sidecar(arguments) as address:
        engine = await connect(EngineOptions(url=url))
        try:
            async with SidecarClient(SidecarClientOptions(url=address, timeout=60)) as sidecar:
                err.print("sidecar …", highlight=False)
                await speed.bench_sidecar(bench, sidecar)
                err.print("fast path …", highlight=False)
                await speed.bench_ratio(bench, sidecar)
                err.print("searches …", highlight=False)
                async with speed.bench_index(engine, await sidecar.model()) as index:
                    await speed.bench_search(bench, engine, sidecar, index)
            info = await engine.info()
        finally:
            await engine.close()
    return {
        "model": encoder.profile.name,
        "engine": {"name": info.kind.value, "version": info.version},
        "window": speed.WINDOW,
        "documents": speed.DOCUMENTS,
        "passage_words": speed.PASSAGE_WORDS,
        "sections": bench.sections,
        "machine": load,
        "versions": versions(),
    }


if __name__ == "__main__":
    app()
