"""Which of two strategies people prefer: interleaved searches with their clicks, or plain votes.

Source: Chapelle, Joachims, Radlinski, Yue, "Large-Scale Validation and Analysis of Interleaved
Search Evaluation", TOIS 2012: of an interleaved search the team with more clicked hits wins, and
the preference is (wins + ties / 2) / searches. The form of a line: docs/reference/click-log.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.rows import id_of, objects_or_faults
from plugin.ranking.errors import SettingsError

Pair = tuple[str, str]
"""Baseline and challenger."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One line: ``outcome`` is 1 where the challenger won, -1 where the baseline did, 0 a tie.

    ``first`` is the team of the first hit; None where nothing was interleaved.
    """

    pair: Pair
    query: str
    outcome: int
    first: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Tally:
    """What the votes of one query came to, the challenger's wins and losses."""

    wins: int = 0
    losses: int = 0
    ties: int = 0
    text: str | None = None

    @property
    def votes(self) -> int:
        """How many there were."""
        return self.wins + self.losses + self.ties

    @property
    def net(self) -> int:
        """Wins less losses; the query is won above 0 and lost below."""
        return self.wins - self.losses

    def add(self, outcome: int, text: str | None) -> None:
        """Count one vote."""
        self.wins += outcome > 0
        self.losses += outcome < 0
        self.ties += outcome == 0
        self.text = self.text or text


@dataclass(slots=True)
class Duel:
    """Two strategies over all queries; ``first_places`` counts whose hit stood first."""

    pair: Pair
    queries: dict[str, Tally] = field(default_factory=dict)
    first_places: dict[str, int] = field(default_factory=dict)

    def add(self, vote: Vote) -> None:
        """Count a vote of this pair, named in either order."""
        outcome = vote.outcome if vote.pair == self.pair else -vote.outcome
        self.queries.setdefault(vote.query, Tally()).add(outcome, vote.text)
        if vote.first is not None:
            self.first_places[vote.first] = self.first_places.get(vote.first, 0) + 1


@dataclass(frozen=True, slots=True)
class Log:
    """The duels of a log, in the order of their first lines, and the lines that are none."""

    duels: tuple[Duel, ...]
    lines: int
    faults: tuple[str, ...]


def read_log(paths: Iterable[Path]) -> Log:
    """Read files of votes; a line that is none is kept as a fault, with its place, and left out.

    Raises:
        SettingsError: a file cannot be read, or no line is a vote.
    """
    duels: dict[frozenset[str], Duel] = {}
    faults: list[str] = []
    lines = 0
    for found in _votes(paths):
        lines += 1
        if isinstance(found, str):
            faults.append(found)
            continue
        duel = duels.setdefault(frozenset(found.pair), Duel(found.pair))
        duel.add(found)
    if not duels:
        why = faults[0] if faults else "there is no line"
        raise SettingsError(
            f"the log holds no vote ({why}); docs/reference/click-log.md has its form"
        )
    return Log(tuple(duels.values()), lines, tuple(faults))


def _votes(paths: Iterable[Path]) -> Iterator[Vote | str]:
    for path in paths:
        for where, row in objects_or_faults(path):
            if row is None:
                yield where
                continue
            try:
                yield _vote(row, where)
            except SettingsError as error:
                yield str(error)


def _vote(row: Mapping[str, Any], where: str) -> Vote:
    query, pair = id_of(row, "query_id", where), _pair(row, where)
    text = row.get("query")
    told = text if isinstance(text, str) and text.strip() else None
    if ("preferred" in row) == ("shown" in row):
        raise SettingsError(f"{where}: give either 'shown' and 'clicks', or 'preferred'")
    if "preferred" in row:
        return Vote(pair, query, _preferred(row["preferred"], pair, where), text=told)
    teams = _teams(row.get("shown"), pair, where)
    clicked = [teams[id_] for id_ in _clicked(row.get("clicks"), teams, where)]
    lead = clicked.count(pair[1]) - clicked.count(pair[0])
    first = next(iter(teams.values()))
    return Vote(pair, query, (lead > 0) - (lead < 0), first, told)


def _pair(row: Mapping[str, Any], where: str) -> Pair:
    match row.get("strategies"):
        case [str() as baseline, str() as challenger] if baseline and challenger:
            if baseline != challenger:
                return baseline, challenger
    raise SettingsError(
        f"{where}: 'strategies' must be two names, the baseline first, not "
        f"{row.get('strategies')!r}"
    )


def _preferred(value: Any, pair: Pair, where: str) -> int:
    if value is None:
        return 0
    if value not in pair:
        raise SettingsError(
            f"{where}: 'preferred' must be {pair[0]!r}, {pair[1]!r} or null, not {value!r}"
        )
    return 1 if value == pair[1] else -1


def _teams(shown: Any, pair: Pair, where: str) -> dict[str, str | None]:
    """Id → team of the hits that were shown, in their order; None is nobody's."""
    teams: dict[str, str | None] = {}
    if not isinstance(shown, list) or not shown:
        raise SettingsError(f"{where}: 'shown' must be the hits that were shown, not {shown!r}")
    for hit in shown:
        if not isinstance(hit, Mapping) or hit.get("team") not in (*pair, None):
            raise SettingsError(
                f"{where}: a hit of 'shown' must have an id and the team {pair[0]!r}, "
                f"{pair[1]!r} or null, not {hit!r}"
            )
        id_ = id_of(hit, "id", where)
        if id_ in teams:
            raise SettingsError(f"{where}: hit {id_!r} is shown twice; a hit has one team")
        teams[id_] = hit.get("team")
    return teams


def _clicked(clicks: Any, teams: Mapping[str, str | None], where: str) -> list[str]:
    """The ids that were clicked, each once: a second click of a hit says nothing new."""
    if not isinstance(clicks, list):
        raise SettingsError(f"{where}: 'clicks' must be a list of ids, not {clicks!r}")
    ids = [id_of({"clicks": one}, "clicks", where) for one in clicks]
    for id_ in ids:
        if id_ not in teams:
            raise SettingsError(f"{where}: clicked hit {id_!r} is not among those shown")
    return list(dict.fromkeys(ids))
