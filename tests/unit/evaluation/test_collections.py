from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.collections import load_collection, read_qrels
from plugin.ranking.errors import SettingsError

CORPUS = '{"_id": "a", "title": "Tea", "text": "leaves in water"}\n{"_id": "b", "text": "beans"}\n'
QUERIES = '{"_id": "1", "text": "hot drink"}\n{"_id": "2", "text": "never judged"}\n'
QRELS = "query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(CORPUS)
    (tmp_path / "queries.jsonl").write_text(QUERIES)
    (tmp_path / "qrels" / "test.tsv").write_text(QRELS)
    return tmp_path


def test_only_judged_queries_are_kept_and_titles_are_part_of_the_text(folder: Path) -> None:
    collection = load_collection(folder)
    assert collection.name == folder.name
    assert dict(collection.queries) == {"1": "hot drink"}
    assert collection.qrels == {"1": {"a": 2, "b": 0}}
    assert collection.documents["a"].text == "Tea\nleaves in water"
    assert collection.documents["b"].text == "beans"


def test_whole_numbers_are_taken_as_ids_and_null_titles_as_none(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text('{"_id": 7, "title": null, "text": "x"}\n')
    assert load_collection(folder).documents["7"].text == "x"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", CORPUS + "{not json\n", "corpus.jsonl, line 3 is not JSON"),
        ("corpus.jsonl", CORPUS + "[1]\n", "corpus.jsonl, line 3 is not a JSON object"),
        ("corpus.jsonl", CORPUS + '{"_id": "c"}\n', "line 3: 'text' must be text, not None"),
        ("corpus.jsonl", CORPUS + '{"_id": "", "text": "x"}\n', "line 3: '_id' must be text"),
        ("corpus.jsonl", CORPUS + CORPUS, "line 3: _id 'a' is there twice"),
        ("corpus.jsonl", "\n", "corpus.jsonl is empty"),
        ("corpus.jsonl", b"\xff\xfe", "corpus.jsonl cannot be read"),
        ("queries.jsonl", '{"_id": "2", "text": "x"}\n', "query '1' is not in queries.jsonl"),
        ("qrels/test.tsv", QRELS + "1\ta\n", "test.tsv, line 4: expected query-id"),
        ("qrels/test.tsv", QRELS + "1\tc\tyes\n", "test.tsv, line 4: expected query-id"),
        ("qrels/test.tsv", QRELS + "1\ta\t1\n", "line 4: document 'a' is judged twice"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "judges no query"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, name: str, content: str | bytes, message: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(raw)
    with pytest.raises(SettingsError, match=message):
        load_collection(folder)


def test_a_missing_split_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"dev\.tsv cannot be read"):
        load_collection(folder, "dev")


def test_judgments_may_come_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text("q\td\t1\n")
    assert read_qrels(path) == {"q": {"d": 1}}


def test_lines_may_end_as_windows_ends_them(folder: Path) -> None:
    path = folder / "qrels" / "test.tsv"
    path.write_bytes(QRELS.replace("\n", "\r\n").encode())
    assert load_collection(folder).qrels["1"]["b"] == 0
