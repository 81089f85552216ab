"""Collections as BRIGHT and R2MED publish them; the texts are made up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.collections import load_collection, read_qrels
from evaluation.engine import excluding, query_body
from evaluation.memory import first_stage_hits
from evaluation.runs import ScoredDocument
from plugin.ranking.errors import SettingsError

PAGES = [{"id": f"bread/oven_{n}.txt", "content": f"Part {n} on ovens."} for n in range(4)]
EXAMPLES: list[dict[str, Any]] = [
    {
        "query": "Why does a loaf rise?",
        "reasoning": "yeast",
        "id": "0",
        "excluded_ids": ["bread/oven_2.txt"],
        "gold_ids_long": ["bread/oven"],
        "gold_ids": ["bread/oven_0.txt", "bread/oven_1.txt"],
    },
    {
        "query": "Why does crust brown?",
        "reasoning": "",
        "id": "1",
        "excluded_ids": ["N/A"],
        "gold_ids_long": ["N/A"],
        "gold_ids": ["bread/oven_3.txt"],
    },
]


def parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


@pytest.fixture
def bright(tmp_path: Path) -> Path:
    """The folder of the dataset: one file a task and part, `documents` here in two."""
    folder = tmp_path / "BRIGHT"
    parquet(folder / "documents" / "baking-00000-of-00002.parquet", PAGES[:2])
    parquet(folder / "documents" / "baking-00001-of-00002.parquet", PAGES[2:])
    long = [{"id": "bread/oven", "content": "All about ovens."}]
    parquet(folder / "long_documents" / "baking-00000-of-00001.parquet", long)
    parquet(folder / "examples" / "baking-00000-of-00001.parquet", EXAMPLES)
    parquet(folder / "examples" / "sailing-00000-of-00001.parquet", EXAMPLES)
    return folder


@pytest.fixture
def r2med(tmp_path: Path) -> Path:
    folder = tmp_path / "Biology"
    folder.mkdir()
    rows: dict[str, list[dict[str, Any]]] = {
        "corpus": [{"id": "a/1.txt", "text": "Leaves"}, {"id": "a/2.txt", "text": "Roots"}],
        "query": [{"id": "0", "text": "What is green?", "doc_id": ["a/1.txt"]}],
        "qrels": [{"q_id": "0", "p_id": "a/1.txt", "score": 1}],
    }
    for name, some in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    return folder


def test_a_task_of_bright_is_read_with_what_is_excluded(bright: Path) -> None:
    collection = load_collection(bright, "baking")
    assert (collection.name, collection.split) == ("BRIGHT-baking", "baking")
    assert list(collection.documents) == [page["id"] for page in PAGES]
    assert collection.documents["bread/oven_3.txt"].text == "Part 3 on ovens."
    assert collection.queries == {"0": "Why does a loaf rise?", "1": "Why does crust brown?"}
    assert collection.qrels["0"] == {"bread/oven_0.txt": 1, "bread/oven_1.txt": 1}
    assert collection.excluded == {"0": {"bread/oven_2.txt"}, "1": set()}


def test_long_documents_of_bright_have_judgments_of_their_own(bright: Path) -> None:
    collection = load_collection(bright, "baking:long")
    assert list(collection.documents) == ["bread/oven"]
    assert collection.qrels == {"0": {"bread/oven": 1}}  # the other is judged in parts only
    assert list(collection.queries) == ["0"]


def test_excluded_documents_are_in_no_run_and_others_move_up(bright: Path) -> None:
    collection = load_collection(bright, "baking")
    found = [ScoredDocument(f"bread/oven_{n}.txt", 9.0 - n) for n in (2, 0, 1, 3)]
    hits = first_stage_hits(collection, {"0": found, "1": found}, 3)
    assert [hit.id[-5] for hit in hits["0"]] == ["0", "1", "3"]
    assert [hit.id[-5] for hit in hits["1"]] == ["2", "0", "1"]


def test_an_engine_is_asked_without_them() -> None:
    body = excluding(query_body("loaf", 10), {"b", "a"})
    assert body["query"]["bool"]["must_not"] == {"ids": {"values": ["a", "b"]}}
    assert body["query"]["bool"]["must"] == query_body("loaf", 10)["query"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("cooking", "has no task 'cooking'; give one of baking as --split"),
        ("sailing", "has no task 'sailing'"),
        ("baking:short", "give baking, or baking:long"),
    ],
)
def test_a_task_that_is_not_there_is_named(bright: Path, split: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_collection(bright, split)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"excluded_ids": ["bread/oven_0.txt"]}, "row 1: 'bread/oven_0.txt' is relevant and"),
        ({"gold_ids": "bread/oven_0.txt"}, "row 1: 'gold_ids' must be a list of ids"),
        ({"query": 7}, "row 1: 'query' must be text, not 7"),
    ],
)
def test_a_wrong_row_is_named(bright: Path, change: dict[str, Any], message: str) -> None:
    parquet(bright / "examples" / "baking-00000-of-00001.parquet", [{**EXAMPLES[0], **change}])
    with pytest.raises(SettingsError, match=message):
        load_collection(bright, "baking")


def test_a_dataset_of_r2med_is_read(r2med: Path) -> None:
    collection = load_collection(r2med)
    assert (collection.name, collection.split) == ("Biology", "test")
    assert collection.documents["a/2.txt"].text == "Roots"
    assert collection.queries == {"0": "What is green?"}
    assert collection.qrels == {"0": {"a/1.txt": 1}}
    assert collection.excluded == {}


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("qrels", '{"q_id": "0", "p_id": "a/1.txt", "score": 1}', "is judged twice"),
        ("qrels", '{"q_id": "0", "p_id": "a/2.txt"}', "line 2: 'score' must be a whole number"),
        ("qrels", '{"q_id": "9", "p_id": "a/2.txt", "score": 1}', "'9' is not in query.jsonl"),
        ("query", '{"id": "0", "text": "again"}', "line 2: id '0' is there twice"),
        ("corpus", '{"id": "a/3.txt"}', "line 3: 'text' must be text, not None"),
    ],
)
def test_a_wrong_line_of_r2med_is_named(r2med: Path, name: str, line: str, message: str) -> None:
    with (r2med / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(SettingsError, match=message):
        load_collection(r2med)


def test_r2med_has_one_split(r2med: Path) -> None:
    with pytest.raises(SettingsError, match="has one split, test, and not 'dev'"):
        load_collection(r2med, "dev")


def test_judgments_may_be_trecs(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text("1 0 AP880212-0161 0\n1\t0\tAP880216-0139\t2\n2  Q0  d  -1\n")
    assert read_qrels(path) == {"1": {"AP880212-0161": 0, "AP880216-0139": 2}, "2": {"d": -1}}


def test_an_id_between_tabs_may_hold_spaces(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq 1\tmy document\t1\n")
    assert read_qrels(path) == {"q 1": {"my document": 1}}


def test_topics_and_judgments_of_trec_stand_in_for_beirs(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "tea"}\n')
    topic = "<top>\n<num> Number: 401\n<title> hot drinks\n<desc> Description:\nAll.\n</top>\n"
    (tmp_path / "topics.txt").write_text(topic)
    (tmp_path / "qrels" / "test.txt").write_text("401 0 d1 1\n")
    collection = load_collection(tmp_path)
    assert collection.queries == {"401": "hot drinks"}
    assert collection.qrels == {"401": {"d1": 1}}
