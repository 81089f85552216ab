"""What votes say of two strategies: share, interval and test, as JSON and for eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table
from scipy.stats import binomtest

from evaluation.preferences import Duel, Log, Tally
from evaluation.significance import bootstrap_ratio

RESAMPLED_FROM = 10
"""With fewer queries resampling them says nothing of how the share varies."""

_UNFAIR = 0.001
_LUCK = 0.05


@dataclass(frozen=True, eq=False)
class Preference:
    """How often the challenger of a duel is preferred.

    Votes are counted, but queries are what is independent: the interval of the votes' share is
    found by resampling queries, and the sign test counts each query once.
    """

    duel: Duel

    @property
    def totals(self) -> Tally:
        """The votes of all queries."""
        tallies = self.duel.queries.values()
        return Tally(
            sum(one.wins for one in tallies),
            sum(one.losses for one in tallies),
            sum(one.ties for one in tallies),
        )

    @property
    def share(self) -> float:
        """Votes for the challenger, half of the ties among them, of all votes."""
        totals = self.totals
        return (totals.wins + totals.ties / 2) / totals.votes

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95 % bootstrap interval of the share over queries; None with too few of them."""
        tallies = self.duel.queries.values()
        if len(tallies) < RESAMPLED_FROM:
            return None
        won = np.array([one.wins + one.ties / 2 for one in tallies], dtype=np.float64)
        return bootstrap_ratio(won, np.array([one.votes for one in tallies], dtype=np.float64))

    @property
    def won(self) -> int:
        """Queries with more wins than losses."""
        return sum(one.net > 0 for one in self.duel.queries.values())

    @property
    def lost(self) -> int:
        """Queries with more losses than wins."""
        return sum(one.net < 0 for one in self.duel.queries.values())

    @cached_property
    def p_value(self) -> float:
        """Of the two-sided sign test over queries; 1 where none is decided."""
        decided = self.won + self.lost
        return float(binomtest(self.won, decided).pvalue) if decided else 1.0

    @cached_property
    def decided_interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval of the share of the decided queries that are won."""
        decided = self.won + self.lost
        if not decided:
            return None
        found = binomtest(self.won, decided).proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    @cached_property
    def first_places_p(self) -> float | None:
        """Of the test that either team came first as often; None where nothing was interleaved."""
        counts = [self.duel.first_places.get(name, 0) for name in self.duel.pair]
        return float(binomtest(counts[1], sum(counts)).pvalue) if sum(counts) else None

    @property
    def fair(self) -> bool:
        """Whether the draft tossed a coin for the first place, as far as the log can tell."""
        return self.first_places_p is None or self.first_places_p >= _UNFAIR

    def to_json(self, *, per_query: bool = False) -> dict[str, Any]:
        """One element of ``results``."""
        totals, (baseline, challenger) = self.totals, self.duel.pair
        row: dict[str, Any] = {
            "baseline": baseline,
            "challenger": challenger,
            "votes": {
                "wins": totals.wins,
                "losses": totals.losses,
                "ties": totals.ties,
                "preference_share": round(self.share, 6),
                "ci95": _rounded(self.interval),
            },
            "queries": {
                "won": self.won,
                "lost": self.lost,
                "tied": len(self.duel.queries) - self.won - self.lost,
                "ci95_of_decided": _rounded(self.decided_interval),
                "p_value": self.p_value,
                "test": "two-sided sign test",
            },
            "first_places": {name: self.duel.first_places.get(name, 0) for name in self.duel.pair},
            "fair_draft": self.fair,
            "verdict": self.verdict,
        }
        if per_query:
            row["per_query"] = {
                query: {"wins": one.wins, "losses": one.losses, "ties": one.ties}
                for query, one in self.duel.queries.items()
            }
        return row

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        baseline, challenger = self.duel.pair
        told = f"{self.share:.1%} of {self.totals.votes} votes, p {self.p_value:.2g}"
        if not self.fair:
            return (
                "The draft was not fair: one team stood first far more often than the other, so "
                f"clicks say nothing ({told})."
            )
        if self.p_value >= _LUCK:
            return f"No preference between {baseline} and {challenger} beyond luck ({told})."
        winner, loser = (challenger, baseline) if self.won > self.lost else (baseline, challenger)
        return f"{winner} is preferred to {loser}; {challenger} has {told}."


def log_json(log: Log, *, per_query: bool = False) -> dict[str, Any]:
    """The document of `--json`."""
    return {
        "lines": log.lines,
        "faults": list(log.faults),
        "results": [Preference(duel).to_json(per_query=per_query) for duel in log.duels],
    }


def preferences_table(preferences: Sequence[Preference]) -> Table:
    """A row a duel."""
    table = Table(title="Votes by search, and by query", title_justify="left")
    table.add_column("strategies", overflow="fold", min_width=10)
    for heading in ("won/lost/tied", "share", "95 % interval", "queries", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in preferences:
        totals, (baseline, challenger) = one.totals, one.duel.pair
        interval = one.interval
        table.add_row(
            escape(f"{challenger} against {baseline}"),
            f"{totals.wins}/{totals.losses}/{totals.ties}",
            f"{one.share:.3f}",
            f"{interval[0]:.3f} … {interval[1]:.3f}" if interval else "too few queries",
            f"{one.won}/{one.lost}/{len(one.duel.queries) - one.won - one.lost}",
            f"{one.p_value:.2g}",
        )
    return table


def queries_table(preference: Preference, shown: int) -> Table:
    """The queries that were won and lost most clearly, ``shown`` of each."""
    baseline, challenger = preference.duel.pair
    title = escape(f"{challenger} against {baseline}, by query")
    table = Table(title=title, title_justify="left")
    table.add_column("query", overflow="fold", min_width=10)
    for heading in ("won", "lost", "tied"):
        table.add_column(heading, justify="right", no_wrap=True)
    ordered = sorted(preference.duel.queries.items(), key=lambda item: -item[1].net)
    best = [item for item in ordered[:shown] if item[1].net > 0]
    worst = [item for item in ordered[-shown:] if item[1].net < 0] if shown else []
    for query, one in [*best, *worst]:
        table.add_row(escape(one.text or query), str(one.wins), str(one.losses), str(one.ties))
    return table


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 6) for end in interval]
