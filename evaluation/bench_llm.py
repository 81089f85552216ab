"""`make bench-llm`: what kept answers are worth, and what a sidecar adds to an LLM's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation.fixed_llm import fixed_llm
from evaluation.local_sidecar import local_sidecar
from evaluation.machine import machine, versions
from evaluation.speed import Bench
from evaluation.speed_table import show
from evaluation.synthetic import SEED
from evaluation.timing import Sample
from evaluation.zipf import ZipfText
from plugin.ranking.errors import ModelOutputError, RanksideError
from plugin.ranking.hits import Hit, Status, Strategy
from plugin.ranking.wire import RankCall, WireHit

HITS, PASSAGE_WORDS = 20, 100
_WARM = 20
_TIMEOUT = 120.0

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)


@app.command()
def bench(
    *,
    requests: Annotated[int, typer.Option(min=10, help="Rankings in all.")] = 1000,
    queries: Annotated[
        int, typer.Option(min=1, help="Different ones; the n-th is as frequent as 1/n.")
    ] = 200,
    concurrency: Annotated[int, typer.Option(min=1, help="Rankings at a time.")] = 8,
    seconds: Annotated[
        float, typer.Option(min=0, help="That the stand-in for an LLM takes.")
    ] = 0.5,
    redis_url: Annotated[
        str | None, typer.Option(help="redis://… to keep answers in; default: memory.")
    ] = None,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
    ] = None,
) -> None:
    """Measure InsertRank with a stand-in for an LLM, as often asked as searches repeat.

    A real sidecar with the embedded model as encoder, 20 hits of 100 words in one prompt, all on
    127.0.0.1. "added" is the sidecar's answer less what the stand-in takes.
    """
    load, measured, began = machine(), Bench(_TIMEOUT), time.perf_counter()
    numbers = _drawn(requests, queries)
    try:
        with fixed_llm(seconds) as llm:
            environment = {"RANKSIDE_LLM__URL": llm}
            if redis_url:
                environment["RANKSIDE_LLM__CACHE__REDIS_URL"] = redis_url
            with local_sidecar(environment=environment) as url:
                ratio = asyncio.run(_measure(measured, url, numbers, concurrency, seconds))
    except RanksideError as error:
        err.print(f"[bold red]bench:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    document = {
        "requests": requests,
        "queries": len(set(numbers)),
        "concurrency": concurrency,
        "llm_seconds": seconds,
        "kept_in": "redis" if redis_url else "memory",
        "hit_ratio": ratio,
        "sections": measured.sections,
        "machine": {**load, "load_1m_after": machine()["load_1m"]},
        "versions": versions(),
        "seconds": round(time.perf_counter() - began, 1),
    }
    show(document, f"{requests} rankings of {len(set(numbers))} queries, milliseconds", json_out)
    if json_out != "-":
        err.print(f"answered from what was kept: {ratio:.1%}", highlight=False)


def _drawn(requests: int, queries: int) -> list[int]:
    """Numbers of queries, the n-th as frequent as 1/n."""
    shares = 1 / np.arange(1, queries + 1)
    drawn = np.random.default_rng(SEED).choice(queries, requests, p=shares / shares.sum())
    return [int(number) for number in drawn]


async def _measure(
    bench: Bench, url: str, numbers: list[int], concurrency: int, seconds: float
) -> float:
    """Rank for each number; the share that was answered from what was kept.

    Raises:
        ModelOutputError: a ranking was not reranked, so nothing was measured.
    """
    crowd = _Crowd(ZipfText())
    async with SidecarClient(SidecarClientOptions(url=url, timeout=_TIMEOUT)) as sidecar:
        await crowd.rank(sidecar, range(len(numbers), len(numbers) + _WARM), 1)
        crowd.forget()
        begun = time.perf_counter()
        await crowd.rank(sidecar, numbers, concurrency)
        wall = time.perf_counter() - begun
    section = f"InsertRank, {HITS} hits, {concurrency} at a time"
    added = [spent - seconds * 1000 for spent in crowd.asked]
    rows = (
        ("the LLM asked", crowd.asked),
        ("added to the LLM's time", added),
        ("answer kept", crowd.kept),
    )
    for name, values in rows:
        if values:
            bench.note(section, name, Sample.of(values, wall))
    return round(len(crowd.kept) / len(numbers), 4)


@dataclass(slots=True)
class _Crowd:
    """Milliseconds of rankings, by whether an LLM was asked."""

    texts: ZipfText
    asked: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)

    def forget(self) -> None:
        self.asked.clear()
        self.kept.clear()

    async def rank(self, sidecar: SidecarClient, numbers: Iterable[int], at_a_time: int) -> None:
        waiting = iter(numbers)

        async def worker() -> None:
            for number in waiting:
                await self._one(sidecar, number)

        await asyncio.gather(*(worker() for _ in range(at_a_time)))

    async def _one(self, sidecar: SidecarClient, number: int) -> None:
        call = _call(self.texts, number)
        begun = time.perf_counter()
        answer = await sidecar.rank(call)
        spent = (time.perf_counter() - begun) * 1000
        if answer.status is not Status.RERANKED:
            raise ModelOutputError(f"a search was not reranked ({answer.reason}); see the log")
        (self.kept if answer.usage.answers_cached else self.asked).append(spent)


def _call(texts: ZipfText, number: int) -> RankCall:
    """A ranking of passages that belong to the query's number."""
    hits: list[Any] = [
        WireHit.of(
            Hit(
                f"{number}-{place}",
                20.0 - place,
                texts.passage(number * HITS + place, PASSAGE_WORDS),
            )
        )
        for place in range(HITS)
    ]
    return RankCall(query=texts.query(number), hits=hits, strategy=Strategy.INSERTRANK)


if __name__ == "__main__":
    app()
