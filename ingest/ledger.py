"""What became of every record, on disk: the checkpoint and the dead letters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.checkpoint import Checkpoint
from ingest.dead_letters import DeadLetters
from ingest.documents import BrokenRecord, SourceDocument
from ingest.watermark import Outcome, Ticket, Watermark

_SAVE_EVERY = 1.0  # seconds; what a kill costs at most, beside the requests in flight


class Ledger:
    """Records are read and settled here; ``path`` is None where a checkpoint is of no use.

    Goes on from ``checkpoint``, which is changed and written as records are settled.
    """

    def __init__(self, checkpoint: Checkpoint, path: Path | None, dead: DeadLetters) -> None:
        self.checkpoint = checkpoint
        self.path = path
        self.dead = dead
        self.watermark = Watermark(checkpoint.position, checkpoint.counts.model_copy())
        self._saved = time.monotonic()

    def read(self, record: SourceDocument | BrokenRecord) -> Ticket:
        """A ticket for what was read just now; a broken record is settled at once."""
        if isinstance(record, SourceDocument):
            return self.watermark.issue(record.position, derived_id=record.derived_id)
        ticket = self.watermark.issue(record.position)
        self.reject(ticket, record.reason, raw=record.raw)
        return ticket

    def indexed(self, ticket: Ticket, *, overwrote: bool) -> None:
        """The engine acknowledged it."""
        ticket.overwrote = overwrote
        self.watermark.settle(ticket, Outcome.INDEXED)

    def skipped(self, ticket: Ticket) -> None:
        """It was there already."""
        self.watermark.settle(ticket, Outcome.SKIPPED)

    def reject(
        self,
        ticket: Ticket,
        reason: str,
        *,
        document: Mapping[str, Any] | None = None,
        **parts: Any,
    ) -> None:
        """It becomes a dead letter."""
        self.dead.add(reason, ticket.position, document=document, **parts)
        self.watermark.settle(ticket, Outcome.REJECTED)

    def retried(self, operations: int) -> None:
        """So many operations or calls were tried again."""
        self.watermark.counts.retried += operations

    def save_if_due(self) -> None:
        """Write the checkpoint where the last one is old enough."""
        if time.monotonic() - self._saved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, after the dead letters that it counts. Raises SettingsError."""
        self.dead.sync()
        self.checkpoint.position = self.watermark.position
        self.checkpoint.counts = self.watermark.counts.model_copy()
        if self.path is not None:
            self.checkpoint.write(self.path)
        self._saved = time.monotonic()

    def finish(self) -> None:
        """Everything is dealt with: nothing is left to resume."""
        self.dead.close()
        self.save()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
