"""`make bench-plugin`: the speed of an engine's plugin, as a table or as JSON."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from connectors.connect import connect
from connectors.engine import Engine, EngineInfo, EngineKind
from connectors.options import EngineOptions, SidecarClientOptions
from connectors.sidecar import SidecarClient
from deploy import local
from evaluation.fixed_sidecar import fixed_sidecar
from evaluation.large_index import MadeVectors, large_index
from evaluation.local_sidecar import local_sidecar
from evaluation.machine import machine, versions
from evaluation.plugin_speed import bench_outside, bench_plugin_search
from evaluation.rescore_speed import bench_rescore
from evaluation.speed import Bench
from evaluation.speed_table import show
from plugin.ranking.errors import RanksideError, SettingsError

INSTANCE = "bench"
_TIMEOUT = 120.0
_WARM = 50
_STEPS = 10
_MODEL, _MODEL_DIMENSIONS = "all-minilm-l6-v2", 384

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: every ``windows`` on an index of ``documents`` for every ``dimensions``."""

    documents: int
    dimensions: Sequence[int]
    windows: Sequence[int]
    calls: int


@app.command()
def bench(
    *,
    engine: Annotated[EngineKind, typer.Option(help="Whose plugin.")] = EngineKind.OPENSEARCH,
    url: Annotated[
        str | None,
        typer.Option(
            help="OpenSearch node with the plugin; default: one of its own, kept for the next run."
        ),
    ] = None,
    documents: Annotated[int, typer.Option(min=1000, help="Documents of the index.")] = 100_000,
    dimensions: Annotated[
        list[int],
        typer.Option(help="Of the vectors; repeat it.", default_factory=lambda: [384, 1024]),
    ],
    window: Annotated[
        list[int],
        typer.Option(help="Hits rescored; repeat it.", default_factory=lambda: [10, 100, 1000]),
    ],
    calls: Annotated[int, typer.Option(min=5, help="Timed calls of each kind.")] = 200,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
    ] = None,
) -> None:
    """Measure what reranking adds to a search, and the ways to compare vectors in a rescore.

    Documents and vectors are made up. For 384 dimensions the sidecar is a real one with the
    embedded model; for others a stand-in that answers one vector at once, named so under `indices`.
    The first run makes the indices, which takes minutes. Other work on the machine shows in the
    spread, and in `load_1m`.
    """
    plan = Plan(documents, dimensions, window, calls)
    started = time.perf_counter()
    try:
        found = _bench(plan, engine, url)
    except RanksideError as error:
        err.print(f"[bold red]bench:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = {**found, "seconds": round(time.perf_counter() - started, 1)}
    show(document, f"{documents} documents, milliseconds", json_out)


def _bench(plan: Plan, kind: EngineKind, url: str | None) -> dict[str, Any]:
    """One length of vectors after another, each with a sidecar and a node that knows it."""
    if url is not None and kind is EngineKind.ELASTICSEARCH:
        raise SettingsError(
            "an Elasticsearch node has its sidecar's address in its own settings: leave out --url"
        )
    load, bench, shapes = machine(), Bench(_TIMEOUT), list[dict[str, Any]]()
    info: EngineInfo | None = None
    for dimensions in plan.dimensions:
        with _sidecar(dimensions) as sidecar, _node(kind, url, sidecar) as node:
            shape, info = asyncio.run(_measure(plan, bench, node, sidecar))
            shapes.append(shape)
    return {
        "engine": {"name": kind.value, "version": info.version if info else ""},
        "plan": asdict(plan),
        "indices": shapes,
        "sections": bench.sections,
        "machine": {**load, "load_1m_after": machine()["load_1m"]},
        "versions": versions(),
    }


@contextmanager
def _node(kind: EngineKind, url: str | None, sidecar: str) -> Iterator[str]:
    if url is not None:
        yield url
        return
    settings = {"rankside.sidecar.url": [sidecar]} if kind is EngineKind.ELASTICSEARCH else None
    plugin = local.build_plugin(kind.value)
    node = local.up(kind.value, instance=INSTANCE, plugin=plugin, settings=settings)
    try:
        yield node.url
    finally:
        local.down(kind.value, instance=INSTANCE)


async def _measure(
    plan: Plan, bench: Bench, url: str, address: str
) -> tuple[dict[str, Any], EngineInfo]:
    engine = await connect(EngineOptions(url=url, timeout=_TIMEOUT))
    try:
        options = SidecarClientOptions(url=address, timeout=_TIMEOUT)
        async with SidecarClient(options) as sidecar:
            return await _sections(plan, bench, engine, sidecar), await engine.info()
    finally:
        await engine.close()


@contextmanager
def _sidecar(dimensions: int) -> Iterator[str]:
    """A real one where the embedded model makes such vectors, else a stand-in."""
    if dimensions == _MODEL_DIMENSIONS:
        with local_sidecar(["--model", _MODEL]) as url:
            yield url
    else:
        with fixed_sidecar(dimensions, f"madeup{dimensions}") as url:
            yield url


async def _sections(
    plan: Plan, bench: Bench, engine: Engine, sidecar: SidecarClient
) -> dict[str, Any]:
    """Measure on the index of one length of vectors; what the index and the sidecar were."""
    card = await sidecar.model()
    vectors = MadeVectors(card.fingerprint, card.id, card.revision, card.dimensions)
    shape = await large_index(engine, plan.documents, vectors, _track)
    for window in plan.windows:
        await _rescore(bench, engine, shape.name, vectors, window, plan.calls)
    err.print(f"searches, {card.dimensions} dimensions …", highlight=False)
    for measure in (bench_plugin_search, bench_outside):
        await measure(bench, engine, shape.name, sidecar, windows=plan.windows, calls=plan.calls)
    return {**asdict(shape), "dimensions": card.dimensions, "sidecar": card.id}


async def _rescore(
    bench: Bench, engine: Engine, index: str, vectors: MadeVectors, window: int, calls: int
) -> None:
    section = f"rescore of {window}, {vectors.dimensions} dimensions"
    err.print(f"{section} …", highlight=False)
    samples = await bench_rescore(engine, index, vectors, window=window, calls=calls, warm=_WARM)
    for name, sample in samples.items():
        bench.note(section, name, sample)


def _track(description: str, total: int) -> Callable[[int], None]:
    """A line at every tenth."""
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        before, done = done, done + steps
        if before * _STEPS // total != done * _STEPS // total:
            err.print(f"{description}: {done} of {total}", highlight=False)

    return advance


if __name__ == "__main__":
    app()
