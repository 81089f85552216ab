"""`make bench-stalled`: searches of a node whose sidecar has stalled, as a table or as JSON."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Annotated, Any

import typer
from rich.console import Console

from connectors.connect import connect
from connectors.engine import EngineKind
from connectors.options import EngineOptions
from deploy import local
from evaluation.fixed_sidecar import MODEL, fixed_sidecar
from evaluation.large_index import MadeVectors, large_index
from evaluation.machine import machine, versions
from evaluation.plugin_ways import Way, way_of
from evaluation.speed import Bench
from evaluation.speed_table import show
from evaluation.stalled_speed import Stalled, bench_beside, bench_crowd, bench_open
from plugin.ranking.errors import RanksideError

INSTANCE = "bench-stalled"
PIPELINE = "rankside-stalled"
LIMITS = (64, 256)
OFF = "off"
CIRCUITS: Mapping[str, int] = {"as it is": 5, OFF: 1_000_000}
_DIMENSIONS, _FINGERPRINT = 384, "madeup384"
_STALL = 600.0
_TIMEOUT = 120.0

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, on a node for every limit of calls and every circuit."""

    engine: EngineKind
    documents: int
    searches: int
    timeout: float
    rounds: int
    seconds: float


@app.command()
def bench(
    *,
    engine: Annotated[EngineKind, typer.Option(help="Whose plugin.")] = EngineKind.OPENSEARCH,
    documents: Annotated[int, typer.Option(min=1000, help="Documents of the index.")] = 2_000,
    searches: Annotated[int, typer.Option(min=2, help="Searches at once.")] = 200,
    timeout: Annotated[float, typer.Option(min=0.1, help="Of a rerank, in seconds.")] = 1.0,
    rounds: Annotated[int, typer.Option(min=1, help="Crowds of each kind.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of plain searches a round.")] = 3.0,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
    ] = None,
) -> None:
    """Measure how long searches take whose sidecar has stalled, and plain ones beside them.

    On nodes with the plugin that allow 64 calls of the sidecar at a time, which is the default, and
    256, with the circuit as it is and without; the sidecar is a stand-in that never answers. On
    Elasticsearch, where an address and so its circuit is the node's for good, crowds are measured
    without the circuit, and then what a search costs with it open.
    """
    plan = Plan(engine, documents, searches, timeout, rounds, seconds)
    started = time.perf_counter()
    load, measured = machine(), Bench(_TIMEOUT)
    try:
        shapes = [_node(plan, measured, limit, name) for limit, name in product(LIMITS, CIRCUITS)]
    except RanksideError as error:
        err.print(f"[bold red]bench:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = {
        "plan": asdict(plan),
        "index": shapes[-1],
        "sections": measured.sections,
        "machine": {**load, "load_1m_after": machine()["load_1m"]},
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 1),
    }
    show(document, f"{searches} searches at once, milliseconds", json_out)


def _node(plan: Plan, bench: Bench, limit: int, circuit: str) -> dict[str, Any]:
    """Measure on a node of these settings; what the index is."""
    err.print(f"{limit} calls at a time, circuit {circuit} …", highlight=False)
    settings: dict[str, Any] = {
        "rankside.max_in_flight": limit,
        "rankside.circuit.failures": CIRCUITS[circuit],
    }
    kind, way = plan.engine, way_of(plan.engine, PIPELINE)
    local.down(kind.value, instance=INSTANCE)
    with fixed_sidecar(_DIMENSIONS, _FINGERPRINT, stall=_STALL) as sidecar:
        if kind is EngineKind.ELASTICSEARCH:
            settings["rankside.sidecar.url"] = [sidecar]
        plugin = local.build_plugin(kind.value)
        node = local.up(kind.value, instance=INSTANCE, plugin=plugin, settings=settings)
        try:
            return asyncio.run(_Measure(plan, bench, way, sidecar, limit, circuit).all(node.url))
        finally:
            local.down(kind.value, instance=INSTANCE)


@dataclass(frozen=True, slots=True)
class _Measure:
    """What is measured on one node."""

    plan: Plan
    bench: Bench
    way: Way
    sidecar: str
    limit: int
    circuit: str

    async def all(self, url: str) -> dict[str, Any]:
        """Every section; what the index is."""
        engine = await connect(EngineOptions(url=url, timeout=_TIMEOUT))
        vectors = MadeVectors(_FINGERPRINT, MODEL, "", _DIMENSIONS)
        try:
            shape = await large_index(engine, self.plan.documents, vectors)
            searches = self.plan.searches
            await self._sections(Stalled(engine, shape.name, self.sidecar, searches, self.way))
        finally:
            await engine.close()
        return asdict(shape)

    async def _sections(self, stalled: Stalled) -> None:
        plan, bench = self.plan, self.bench
        name = f"{self.limit} calls at a time, circuit {self.circuit}"
        if self.circuit == OFF or self.way.fresh_circuits:
            for spread, when in ((0.0, "all at once"), (plan.timeout, "over one timeout")):
                section = f"{name}, {when}"
                await bench_crowd(
                    bench, stalled, section, timeout=plan.timeout, spread=spread, rounds=plan.rounds
                )
        if self.circuit != OFF:
            await bench_open(bench, stalled, f"circuit open, {name}", calls=plan.searches)
        if self.circuit != OFF and not self.way.fresh_circuits:
            return  # it is open by now
        await bench_beside(
            bench,
            stalled,
            f"plain searches, {name}",
            hanging=min(self.limit, plan.searches),
            seconds=plan.seconds,
            rounds=plan.rounds,
        )


if __name__ == "__main__":
    app()
