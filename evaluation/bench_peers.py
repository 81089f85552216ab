"""`make bench-peers`: Rankside beside what others would use instead, as ratios of one run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from sentence_transformers import CrossEncoder, SentenceTransformer

from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation import peer_speed, peers
from evaluation.local_sidecar import Served, free_port, serve_command, served
from evaluation.machine import machine, versions
from evaluation.peer_speed import CROSS, EMBEDDED, INFINITY, RANKSIDE, WINDOWS, Compared, Embedder
from evaluation.speed import Bench
from evaluation.speed_table import show
from evaluation.weights import MODEL
from plugin.ranking.errors import RanksideError, SettingsError

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)
_LOAD = 0.5  # of what a server gives one text at a time: busy, and with room


@app.command()
def bench_peers(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Measuring time a cell.")] = 10.0,
    window: Annotated[list[int] | None, typer.Option(min=2, help="Hits to rerank.")] = None,
    infinity: Annotated[
        bool, typer.Option(help="Beside infinity-emb, installed where it was not.")
    ] = True,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Draw the rerank times, .svg or .png.")
    ] = None,
) -> None:
    """Time reranking and embedding by Rankside, sentence-transformers and infinity-emb.

    All with the embedded model, on the CPU and 127.0.0.1; with the defaults some ten minutes.
    """
    began, bench, skipped = machine(), Bench(seconds), dict(peers.SKIPPED)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rankside-peers-") as folder,
            ExitStack() as running,
        ):
            cross = peers.cross_encoder_folder(Path(folder))
            found = {RANKSIDE: running.enter_context(_sidecar())}
            models = {EMBEDDED: peers.minilm_folder(), CROSS: cross}
            try:
                if infinity:
                    found[INFINITY] = running.enter_context(peers.infinity(models))
                else:
                    skipped[INFINITY] = "it was not asked for"
            except SettingsError as error:
                skipped[INFINITY] = str(error)
            asyncio.run(_measure(bench, found, cross, tuple(window or WINDOWS)))
    except RanksideError as error:
        err.print(f"[bold red]bench:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = {**_document(bench, skipped), "machine": began, "versions": versions()}
    show(document, f"{MODEL}, milliseconds", json_out)
    if plot is not None:
        draw(document, plot)


def ratios(rows: Mapping[str, Mapping[str, Any]], of: str) -> dict[str, dict[str, float]]:
    """How many times as long as ``of`` every other row takes, by medians."""
    least = rows[of]["median_ms"]
    return {
        f"{name} / {of}": {"times": round(row["median_ms"] / least, 2)}
        for name, row in rows.items()
        if name != of
    }


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Median rerank times by window, one line a way."""
    from matplotlib.figure import Figure

    lines: dict[str, list[tuple[int, float]]] = {}
    for section, rows in document["sections"].items():
        if section.startswith("rerank "):
            for name, row in rows.items():
                if "median_ms" in row:
                    lines.setdefault(name, []).append((int(section.split()[1]), row["median_ms"]))
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
    axes.set(xlabel="hits", ylabel="milliseconds, median", xscale="log", yscale="log")
    axes.set_title(f"{document['model']}, {document['machine']['cores']} cores")
    axes.legend()
    figure.savefig(path)


def _document(bench: Bench, skipped: Mapping[str, str]) -> dict[str, Any]:
    return {
        "model": MODEL,
        "passage_words": peer_speed.PASSAGE_WORDS,
        "sections": bench.sections,
        "skipped": skipped,
        "peers": {INFINITY: peers.INFINITY_PACKAGE},
    }


def _sidecar() -> Any:
    port = free_port()
    queue = {"RANKSIDE_SIDECAR__QUEUE_TOKENS": "10000000"}  # to refuse nothing, as peers do not
    return served([*serve_command(port), "--model", MODEL], port, queue)


async def _measure(
    bench: Bench, found: Mapping[str, Served], cross: Path, windows: tuple[int, ...]
) -> None:
    async with AsyncExitStack() as stack:
        http = {
            name: await stack.enter_async_context(peer_speed.client(one.url))
            for name, one in found.items()
        }
        options = SidecarClientOptions(url=found[RANKSIDE].url, timeout=peer_speed.TIMEOUT)
        sidecar = await stack.enter_async_context(SidecarClient(options))
        card = await sidecar.model()
        names = {RANKSIDE: card.id, INFINITY: EMBEDDED}
        compared = Compared(
            sidecar,
            card,
            {name: Embedder(one, names[name]) for name, one in http.items()},
            SentenceTransformer(str(peers.minilm_folder()), device="cpu"),
            CrossEncoder(str(cross), device="cpu"),
        )
        for window in windows:
            err.print(f"rerank {window} …", highlight=False)
            section = f"rerank {window} hits"
            budget = bench.budget(30, 5)
            for name, sample in (await peer_speed.rerank(compared, window, budget)).items():
                bench.note(section, name, sample)
            rows = dict(bench.sections[section])
            for name, ratio in ratios(rows, "rankside, stored vectors").items():
                bench.note(section, name, ratio)
        err.print("embeddings …", highlight=False)
        for name, row in (await peer_speed.embed(compared, bench.budget(200))).items():
            bench.note("embeddings", name, row)
        await _open_loop(bench, compared)
    for name, one in found.items():
        bench.note(
            "servers",
            name,
            {"start_s": round(one.seconds, 1), "memory_mib": peers.resident_mib(one.pid)},
        )


async def _open_loop(bench: Bench, compared: Compared) -> None:
    """The same rate for all: that which the slowest has time for twice over."""
    rows = bench.sections["embeddings"]
    alone = [rows[f"{name}: 1 texts, 1 at a time"]["per_second"] for name in compared.embedders]
    rate = min(alone) * _LOAD
    for name, one in compared.embedders.items():
        err.print(f"arrivals at {name} …", highlight=False)
        bench.note("open loop", name, await peer_speed.open_loop(one, rate, bench.seconds * 2))


if __name__ == "__main__":
    app()
