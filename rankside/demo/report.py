"""What the demo measured, as tables on a terminal, as JSON, and as a piece of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

STAGES = ("window", "sidecar", "rescore")


@dataclass(frozen=True, slots=True)
class Quality:
    """One system over all judged queries; measures are means over queries.

    ``p_value`` is a paired randomisation test's against BM25, None for BM25 itself.
    """

    system: str
    signals: dict[str, float]
    ndcg: float
    mrr: float
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of whole searches over loopback; ``shares`` of the mean, by stage."""

    system: str
    searches: int
    p50: float
    p95: float
    shares: dict[str, float]

    @classmethod
    def of(cls, system: str, timings: Sequence[Mapping[str, float]]) -> Latency:
        """Summarise per-search timings; each has ``total`` and the stages."""
        totals = np.array([timing["total"] for timing in timings])
        means = {stage: np.mean([t.get(stage, 0.0) for t in timings]) for stage in STAGES}
        shares = {stage: float(mean / totals.mean()) for stage, mean in means.items()}
        p50, p95 = np.percentile(totals, [50, 95])
        return cls(system, len(timings), float(p50), float(p95), shares)


@dataclass(frozen=True, slots=True)
class Example:
    """One query's top hits before and after; ids with their grade (0 = not relevant)."""

    label: str
    query: str
    before: list[tuple[str, int]]
    after: list[tuple[str, int]]
    ndcg_before: float
    ndcg_after: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the demo has to say."""

    documents: int
    queries: int
    judgments: int
    model: str
    engine: str
    machine: str
    quality: list[Quality]
    latency: list[Latency]
    examples: list[Example]
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    def print(self, console: Console) -> None:
        """The report as tables."""
        console.print(self._quality_table())
        console.print(self._latency_table())
        for example in self.examples:
            console.print(_example_table(example))
        console.print(f"[dim]{self.setting}[/]", highlight=False)

    @property
    def setting(self) -> str:
        """One line: what was run on what."""
        return (
            f"{self.documents} documents, {self.queries} queries, {self.judgments} judgments; "
            f"{self.model}; {self.engine}; {self.machine}"
        )

    def to_markdown(self) -> str:
        """The figures and the examples for a README."""
        rows = [
            f"| {q.system} | {q.ndcg:.3f} | {q.mrr:.3f} | {_p(q.p_value)} | {_signals(q)} |"
            for q in self.quality
        ]
        speed = [f"| {x.system} | {x.p50:.0f} ms | {x.p95:.0f} ms | {_shares(x)} |"
                 for x in self.latency]  # fmt: skip
        parts = [
            "| | nDCG@10 | MRR@10 | p against BM25 | signals |\n|---|---|---|---|---|",
            *rows,
            "\n| whole search | p50 | p95 | of it |\n|---|---|---|---|",
            *speed,
            *[_example_markdown(example) for example in self.examples],
            f"\n{self.setting}.",
        ]
        return "\n".join(parts)

    def _quality_table(self) -> Table:
        table = Table(title="Ranking quality on the judged queries")
        for column in ("", "nDCG@10", "MRR@10", "p against BM25", "signals"):
            table.add_column(column)
        for q in self.quality:
            table.add_row(q.system, f"{q.ndcg:.3f}", f"{q.mrr:.3f}", _p(q.p_value), _signals(q))
        return table

    def _latency_table(self) -> Table:
        table = Table(title="Whole searches, one at a time")
        for column in ("", "p50", "p95", "of it"):
            table.add_column(column)
        for x in self.latency:
            table.add_row(x.system, f"{x.p50:.1f} ms", f"{x.p95:.1f} ms", _shares(x))
        return table


def _example_table(example: Example) -> Table:
    table = Table(
        title=f"{example.label}: “{example.query}”  "
        f"nDCG@10 {example.ndcg_before:.2f} → {example.ndcg_after:.2f}"
    )
    for column in ("", "BM25", "Rankside"):
        table.add_column(column)
    for rank, (before, after) in enumerate(zip(example.before, example.after, strict=False), 1):
        table.add_row(str(rank), _graded(before), _graded(after))
    return table


def _example_markdown(example: Example) -> str:
    rows = [
        f"| {rank} | {_graded(before)} | {_graded(after)} |"
        for rank, (before, after) in enumerate(
            zip(example.before, example.after, strict=False), start=1
        )
    ]
    head = (
        f"\n*{example.query}* ({example.label}; nDCG@10 {example.ndcg_before:.2f} → "
        f"{example.ndcg_after:.2f})\n\n| | BM25 | Rankside |\n|---|---|---|"
    )
    return "\n".join([head, *rows])


def _graded(hit: tuple[str, int]) -> str:
    id_, grade = hit
    return f"{id_} {'★' * grade}".rstrip()


def _p(value: float | None) -> str:
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _signals(quality: Quality) -> str:
    return " + ".join(f"{weight:g}·{name}" for name, weight in quality.signals.items() if weight)


def _shares(latency: Latency) -> str:
    return ", ".join(f"{stage} {share:.0%}" for stage, share in latency.shares.items() if share)
