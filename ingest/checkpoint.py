"""Where a killed ingest goes on: a small file, replaced whole, never ahead of the engine."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Self

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.documents import START, Position
from ingest.source import PartIdentity
from ingest.watermark import Counts
from plugin.ranking.errors import SettingsError


class Job(BaseModel):
    """What a checkpoint belongs to; a run of another job must not go on from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    parts: tuple[PartIdentity, ...]
    index: str
    url: str
    fingerprint: str
    text_fields: tuple[str, ...]
    id_fields: tuple[str, ...]
    vector_field: str

    @property
    def key(self) -> str:
        """Names the default files: the same source into the same index of the same engine."""
        parts = f"{self.source}\0{self.index}\0{self.url}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def difference(self, other: Job) -> str | None:
        """One phrase on what keeps ``self`` from going on where ``other`` stopped."""
        for name, why in _DIFFERENCES.items():
            if getattr(self, name) != getattr(other, name):
                return why
        return None


_DIFFERENCES = {
    "source": "is of another source",
    "index": "is of another index",
    "url": "is of another engine",
    "parts": "was made before the source's files changed",
    "fingerprint": "was made with another model",
    "text_fields": "was made with other text fields",
    "id_fields": "was made with other id fields",
    "vector_field": "was made with another vector field",
}


class Checkpoint(BaseModel):
    """Everything up to ``position`` is acknowledged, and ``counts`` says what became of it.

    ``index_uuid`` tells the index from a later one of its name.
    ``refresh_interval`` is what the index's setting is to be put back to (None: the engine's
    default), where ``refresh_held`` says that it was changed.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    job: Job
    index_uuid: str = ""
    position: Position = START
    counts: Counts = Counts()
    refresh_held: bool = False
    refresh_interval: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The checkpoint at ``path``; None where there is none.

        Raises:
            SettingsError: there is something else at ``path``.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise SettingsError(
                f"checkpoint {path} cannot be read; remove it, or start over with --no-resume"
            ) from error

    def write(self, path: Path) -> None:
        """Replace the file at ``path`` in one step that survives a power cut.

        Raises:
            SettingsError: it cannot be written there.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(self.model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error


def go_on(path: Path | None, job: Job, index_uuid: str | None, *, resume: bool) -> Checkpoint:
    """The checkpoint to go on from: the one at ``path`` if it is of ``job``, else a new one.

    ``index_uuid`` is that of the index as it is now, None where there is none.

    Raises:
        SettingsError: the one at ``path`` is of another job, or of an index that is gone.
    """
    found = Checkpoint.read(path) if path is not None and resume else None
    if found is None:
        return _afresh(path, job, index_uuid)
    why = job.difference(found.job)
    if why is None and found.index_uuid != (index_uuid or ""):
        why = "was made for an index that is gone since"
    if why is not None:
        raise SettingsError(
            f"the checkpoint {path} {why}; start over with --no-resume (documents keep their ids, "
            "so none is doubled), or give another --checkpoint"
        )
    return found


def _afresh(path: Path | None, job: Job, index_uuid: str | None) -> Checkpoint:
    """A new checkpoint; what an earlier run owes the same index is still owed."""
    fresh = Checkpoint(job=job)
    with suppress(SettingsError):
        earlier = Checkpoint.read(path) if path is not None else None
        if earlier is not None and earlier.index_uuid == index_uuid:
            fresh.refresh_held = earlier.refresh_held
            fresh.refresh_interval = earlier.refresh_interval
    return fresh


def state_folder() -> Path:
    """Where checkpoints and dead letters are kept by default."""
    return platformdirs.user_state_path("rankside") / "ingest"


@contextmanager
def sole(path: Path, otherwise: str) -> Iterator[None]:
    """Hold ``path`` alone, by a lock beside it that goes with the process, however it ends.

    Raises:
        SettingsError: another process holds it; ``otherwise`` is the sentence to say then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("w")
    except OSError as error:
        raise _unwritable(path, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(otherwise) from error
        yield


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"checkpoint {path} cannot be written ({error.strerror}); give another --checkpoint"
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
