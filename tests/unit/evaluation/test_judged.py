from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.collections import read_qrels
from evaluation.judged import judged_collection
from evaluation.queries import read_queries
from plugin.ranking.errors import SettingsError

TAGGED = """
<top>
<num> Number: 301
<title> Topic: Sourdough &amp; rye

<desc> Description:
How is it made?
</top>
<top>
<num>302</num><title>Keels
of boats</title>
</top>
"""
XML = """<?xml version="1.0"?>
<topics>
  <topic number="1" type="single"><query>calm &lt;bees&gt;</query><note>x</note></topic>
  <topic number='2'><narrative>n</narrative><title>hives</title></topic>
  <topic number="3">
    a whole text
  </topic>
</topics>
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "given"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ('{"_id": "q1", "text": "how"}\n\n{"_id": 2, "text": "why"}', {"q1": "how", "2": "why"}),
        (TAGGED, {"301": "Sourdough & rye", "302": "Keels of boats"}),
        (XML, {"1": "calm <bees>", "2": "hives", "3": "a whole text"}),
        ("q1\thow now\n\n2\twhy\n", {"q1": "how now", "2": "why"}),
    ],
)
def test_queries_are_read_in_whatever_form_they_have(
    tmp_path: Path, text: str, queries: dict[str, str]
) -> None:
    assert read_queries(file(tmp_path, text)) == queries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no query"),
        ("q1 how now", "line 1 is no query"),
        ("q1\thow\nq1\twhy", "query 'q1' is there twice"),
        ('{"_id": "q1"}', 'line 1: a query is {"_id"'),
        ('{"_id": "q1", "text": "how"}\n{"_id"', "line 2: it is not a JSON object"),
        ("<top><num>1</top>", "no <title>"),
        ("<top><num>1<title> </top>", "topic '1' has no text"),
        ("<html></html>", "holds no query"),
    ],
)
def test_a_wrong_file_of_queries_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_queries(file(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
        "q1 0 d1 2\nq1 0 d2 0\n",
        "q1\tQ0\td1\t2\n\nq1\tQ0\td2\t0\n",
    ],
)
def test_judgments_are_read_in_either_form(tmp_path: Path, text: str) -> None:
    assert read_qrels(file(tmp_path, text)) == {"q1": {"d1": 2, "d2": 0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "judges no query"),
        ("q1 0 d1 high", "line 1: expected query-id"),
        ("q1 d1 1", "line 1: expected query-id"),
        ("q1 0 d1 1\nq1 0 d1 0", "judged twice"),
    ],
)
def test_wrong_judgments_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_qrels(file(tmp_path, text))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_queries(tmp_path / "none")


def test_only_judged_queries_are_asked_and_every_one_must_be_known(tmp_path: Path) -> None:
    queries, qrels = tmp_path / "queries.tsv", tmp_path / "qrels.txt"
    queries.write_text("q1\thow\nq2\twhy\n", "utf-8")
    qrels.write_text("q2 0 d1 1\n", "utf-8")
    collection = judged_collection("articles", queries, qrels)
    assert (collection.name, collection.queries) == ("articles", {"q2": "why"})
    qrels.write_text("q3 0 d1 1\n", "utf-8")
    with pytest.raises(SettingsError, match="query 'q3' is not in"):
        judged_collection("articles", queries, qrels)
