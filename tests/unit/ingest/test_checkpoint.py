from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.checkpoint import Checkpoint, Job, go_on, sole
from ingest.documents import START, Position
from ingest.source import PartIdentity
from ingest.watermark import Counts
from plugin.ranking.errors import SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "checkpoint.json"


@pytest.fixture
def written(job: Job, path: Path) -> Checkpoint:
    """A checkpoint on disk, in the middle of a source."""
    checkpoint = Checkpoint(
        job=job,
        index_uuid="uuid",
        position=Position(part=1, lines=20, offset=400, line=20, file="b.jsonl"),
        counts=Counts(read=20, indexed=19, rejected=1, embedded=19),
        refresh_held=True,
        refresh_interval="5s",
    )
    checkpoint.write(path)
    return checkpoint


def test_what_is_written_is_what_is_read(written: Checkpoint, path: Path) -> None:
    assert Checkpoint.read(path) == written
    assert [entry.name for entry in path.parent.iterdir()] == ["checkpoint.json"]


def test_a_run_of_the_same_job_goes_on_there(written: Checkpoint, path: Path, job: Job) -> None:
    assert go_on(path, job, "uuid", resume=True) == written


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parts": (PartIdentity(name="x", size=11, mtime_ns=2, head="cd"),)}, "files changed"),
        ({"fingerprint": "0" * 16}, "another model"),
        ({"text_fields": ("text",)}, "other text fields"),
        ({"id_fields": ("key",)}, "other id fields"),
        ({"vector_field": "v"}, "another vector field"),
        ({"index": "films"}, "another index"),
        ({"url": "http://elsewhere:9200"}, "another engine"),
        ({"source": "elsewhere"}, "another source"),
    ],
)
@pytest.mark.usefixtures("written")
def test_a_run_of_another_job_is_refused_and_told_the_way_out(
    path: Path, job: Job, change: dict[str, Any], why: str
) -> None:
    other = job.model_copy(update=change)

    with pytest.raises(SettingsError, match=rf"{why}.*--no-resume"):
        go_on(path, other, "uuid", resume=True)


@pytest.mark.parametrize("uuid", [None, "another"])
@pytest.mark.usefixtures("written")
def test_an_index_that_is_gone_is_not_gone_on_with(path: Path, job: Job, uuid: str | None) -> None:
    with pytest.raises(SettingsError, match="index that is gone since"):
        go_on(path, job, uuid, resume=True)


@pytest.mark.usefixtures("written")
def test_starting_over_begins_at_the_start_and_still_owes_the_refresh_interval(
    path: Path, job: Job
) -> None:
    fresh = go_on(path, job, "uuid", resume=False)

    assert (fresh.position, fresh.counts) == (START, Counts())
    assert (fresh.refresh_held, fresh.refresh_interval) == (True, "5s")


def test_without_a_checkpoint_there_is_a_new_one(path: Path, job: Job) -> None:
    assert go_on(path, job, None, resume=True) == Checkpoint(job=job)
    assert go_on(None, job, None, resume=True) == Checkpoint(job=job)


@pytest.mark.parametrize("content", ["", "{", '{"version": 2}', "[]"])
def test_another_file_in_its_place_is_refused_unless_starting_over(
    path: Path, job: Job, content: str
) -> None:
    path.parent.mkdir()
    path.write_text(content)

    with pytest.raises(SettingsError, match="cannot be read; remove it"):
        go_on(path, job, None, resume=True)
    assert go_on(path, job, None, resume=False).position == START


def test_the_key_is_of_source_index_and_engine_only(job: Job) -> None:
    assert job.key == job.model_copy(update={"fingerprint": "0", "parts": ()}).key
    assert job.key != job.model_copy(update={"index": "films"}).key


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, job: Job) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        Checkpoint(job=job).write(tmp_path / "file" / "checkpoint.json")
    with (
        pytest.raises(SettingsError, match="cannot be written"),
        sole(tmp_path / "file" / "x", "busy"),
    ):
        pass


def test_only_one_process_holds_it_and_a_killed_one_holds_it_no_more(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ingest.checkpoint import sole\n"
        "with sole(Path(sys.argv[1]), 'busy'): print('held', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(SettingsError, match="busy"), sole(path, "busy"):
            pass
        other.kill()
        other.wait()
        with sole(path, "busy"):
            pass
