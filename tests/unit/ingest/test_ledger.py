from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.checkpoint import Checkpoint, Job
from ingest.dead_letters import DeadLetters
from ingest.documents import BrokenRecord, Position, SourceDocument
from ingest.ledger import Ledger


def document(number: int) -> SourceDocument:
    return SourceDocument(str(number), {"n": number}, Position(offset=number, line=number))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.json"


@pytest.fixture
def ledger(job: Job, path: Path, tmp_path: Path) -> Ledger:
    return Ledger(Checkpoint(job=job), path, DeadLetters(tmp_path / "dead.jsonl"))


def test_the_checkpoint_says_what_is_settled_without_a_gap(ledger: Ledger, path: Path) -> None:
    first, second, third = (ledger.read(document(number)) for number in (1, 2, 3))
    ledger.indexed(third, overwrote=False)
    ledger.indexed(first, overwrote=True)
    ledger.retried(4)
    ledger.save()

    saved = Checkpoint.read(path)
    assert saved is not None
    assert saved.position == first.position
    assert saved.counts.model_dump() == {
        "read": 1,
        "embedded": 0,
        "indexed": 1,
        "skipped": 0,
        "rejected": 0,
        "retried": 4,
        "overwritten": 1,
        "derived_ids": 0,
    }
    ledger.skipped(second)
    ledger.save()
    assert Checkpoint.read(path).position == third.position  # type: ignore[union-attr]


def test_dead_letters_are_on_disk_before_the_checkpoint_counts_them(
    ledger: Ledger, path: Path
) -> None:
    ledger.read(BrokenRecord("broken", Position(offset=5, line=1), raw="{"))
    ledger.reject(ledger.read(document(6)), "refused", document={"n": 6}, status=400)

    ledger.save()

    lines = [json.loads(line) for line in ledger.dead.path.read_text().splitlines()]
    assert [line["reason"] for line in lines] == ["broken", "refused"]
    assert Checkpoint.read(path).counts.rejected == 2  # type: ignore[union-attr]
    ledger.dead.close()


def test_it_goes_on_counting_where_the_checkpoint_stopped(
    ledger: Ledger, path: Path, job: Job
) -> None:
    ledger.indexed(ledger.read(document(1)), overwrote=False)
    ledger.save()
    again = Ledger(Checkpoint.read(path) or Checkpoint(job=job), path, ledger.dead)

    again.indexed(again.read(document(2)), overwrote=False)
    again.finish()

    assert again.checkpoint.counts.indexed == 2
    assert not path.exists()


def test_without_a_path_nothing_is_written(job: Job, tmp_path: Path) -> None:
    ledger = Ledger(Checkpoint(job=job), None, DeadLetters(tmp_path / "dead.jsonl"))
    ledger.indexed(ledger.read(document(1)), overwrote=False)

    ledger.save()
    ledger.finish()

    assert list(tmp_path.iterdir()) == []
