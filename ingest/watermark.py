"""How far, without a gap, records are dealt with, though they finish in any order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ingest.documents import START, Position


class Outcome(StrEnum):
    """What became of one record."""

    INDEXED = "indexed"
    SKIPPED = "skipped"
    REJECTED = "rejected"


class Counts(BaseModel):
    """What became of records; ``read`` is the sum of ``indexed``, ``skipped`` and ``rejected``.

    ``embedded`` counts those that were given a vector, ``overwritten`` those whose id was in the
    index already, ``derived_ids`` those whose source named no id, ``retried`` the operations and
    calls that were tried again.
    """

    model_config = ConfigDict(extra="forbid")

    read: int = 0
    embedded: int = 0
    indexed: int = 0
    skipped: int = 0
    rejected: int = 0
    retried: int = 0
    overwritten: int = 0
    derived_ids: int = 0

    def add(self, ticket: Ticket) -> None:
        """Count one settled record."""
        self.read += 1
        self.indexed += ticket.outcome is Outcome.INDEXED
        self.skipped += ticket.outcome is Outcome.SKIPPED
        self.rejected += ticket.outcome is Outcome.REJECTED
        self.embedded += ticket.embedded
        self.overwritten += ticket.overwrote
        self.derived_ids += ticket.derived_id


@dataclass(slots=True, eq=False)
class Ticket:
    """One record on its way; settled once ``outcome`` is set."""

    position: Position
    derived_id: bool = False
    embedded: bool = False
    overwrote: bool = False
    outcome: Outcome | None = None


@dataclass(slots=True)
class Watermark:
    """Tickets are issued in the order of reading and settled in any.

    ``position`` is the end of the last record before the first unsettled one, and ``counts``
    covers exactly the records up to there: together they are what a checkpoint may say.
    ``settled`` counts all settled ones, for display.
    """

    position: Position = START
    counts: Counts = field(default_factory=Counts)
    settled: int = 0
    _tickets: deque[Ticket] = field(default_factory=deque)

    def issue(self, position: Position, *, derived_id: bool = False) -> Ticket:
        """A ticket for the record that was read just now."""
        ticket = Ticket(position, derived_id)
        self._tickets.append(ticket)
        return ticket

    def settle(self, ticket: Ticket, outcome: Outcome) -> None:
        """Say what became of a record; once for each ticket."""
        if ticket.outcome is not None:
            raise ValueError(f"the record at {ticket.position} is settled already")
        ticket.outcome = outcome
        self.settled += 1
        while self._tickets and self._tickets[0].outcome is not None:
            first = self._tickets.popleft()
            self.position = first.position
            self.counts.add(first)
