from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from ingest.documents import BrokenRecord, SourceDocument
from ingest.source import Source, open_source
from plugin.ranking.errors import SettingsError


def lines(*ids: str) -> bytes:
    return b"".join(json.dumps({"_id": id_, "text": f"text {id_}"}).encode() + b"\n" for id_ in ids)


def ids(source: Source) -> list[str]:
    return [record.id for record in source.records() if isinstance(record, SourceDocument)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of every known kind, and some of others."""
    (tmp_path / "b.jsonl").write_bytes(lines("b1", "b2"))
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(lines("a1", "a2")))
    (tmp_path / "c.csv").write_text("id,text\nc1,x\nc2,y\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.JSONL").write_bytes(lines("d1"))
    (tmp_path / "notes.txt").write_text("no corpus")
    (tmp_path / ".hidden.jsonl").write_bytes(lines("no"))
    return tmp_path


def test_a_folder_is_every_known_file_below_it_by_name(folder: Path) -> None:
    source = open_source(str(folder))

    assert ids(source) == ["a1", "a2", "b1", "b2", "c1", "c2", "d1"]
    assert [part.name for part in source.parts][-1] == "inner/d.JSONL"


def test_reading_goes_on_behind_any_record_of_any_file(folder: Path) -> None:
    source = open_source(str(folder))
    records = list(source.records())

    for done, record in enumerate(records, start=1):
        assert list(source.records(record.position)) == records[done:]


def test_a_beir_folder_is_its_corpus(folder: Path) -> None:
    (folder / "queries.jsonl").write_bytes(lines("q1"))
    (folder / "corpus.jsonl").write_bytes(lines("doc"))

    assert ids(open_source(str(folder))) == ["doc"]


def test_standard_input_is_jsonl_and_cannot_be_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(lines("x", "y")))
    monkeypatch.setattr(sys, "stdin", stdin)

    source = open_source("-")

    assert ids(source) == ["x", "y"]
    assert not source.resumable
    assert source.count() is None


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.jsonl", b"{}\n{}\n", 2),
        ("a.jsonl", b"{}\n{}", 2),
        ("a.jsonl", b"", 0),
        ("a.csv", b"id\n1\n2\n", 2),
        ("a.csv", b'id\n"1\n2"\n', None),
        ("a.jsonl.gz", gzip.compress(b"{}\n"), None),
    ],
)
def test_records_are_counted_where_that_is_cheap(
    tmp_path: Path, name: str, content: bytes, count: int | None
) -> None:
    (tmp_path / name).write_bytes(content)

    assert open_source(str(tmp_path / name)).count() == count


def test_the_identity_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines("a"))
    source = open_source(str(path))
    before = source.identity()

    assert source.identity() == before
    path.write_bytes(lines("b"))
    assert source.identity() != before


def test_ids_are_taken_from_the_field_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,id\nk1,1\n")

    assert ids(open_source(str(tmp_path / "a.csv"), ["key"])) == ["k1"]


def test_a_damaged_file_does_not_keep_the_next_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines("a1") * 5000)[:-100])
    (tmp_path / "b.jsonl").write_bytes(lines("b1"))

    records = list(open_source(str(tmp_path)).records())

    broken = [record for record in records if isinstance(record, BrokenRecord)]
    assert len(broken) == 1
    assert isinstance(records[-1], SourceDocument)
    assert records[-1].id == "b1"
    assert list(open_source(str(tmp_path)).records(broken[0].position)) == records[-1:]


@pytest.mark.parametrize("name", ["missing.jsonl", "notes.txt", "old.parquet.gz", "."])
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("no corpus")
    (tmp_path / "old.parquet.gz").write_bytes(b"")

    with pytest.raises(SettingsError):
        open_source(str(tmp_path / name))


def test_a_file_that_is_gone_since_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines("a"))
    source = open_source(str(path))
    path.unlink()

    for look in (source.identity, lambda: ids(source)):
        with pytest.raises(SettingsError, match=r"a\.jsonl cannot be read \(No such file"):
            look()
