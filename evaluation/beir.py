"""BEIR's form: a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

TREC's topics and judgments may stand in place of the last two.

Source of the form: https://github.com/beir-cellar/beir (wiki, "Load your custom dataset"); of
TREC's judgments: https://trec.nist.gov/data/qrels_eng.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evaluation.collection import Collection, Document, judged_queries
from evaluation.queries import read_queries
from evaluation.rows import add_judgment, lines, texts_of
from plugin.ranking.errors import SettingsError

_HEADER = "query-id"
_QUERIES = ("queries.jsonl", "queries.tsv", "topics.txt", "topics.xml")


def load_beir(folder: Path, split: str) -> Collection:
    """Read the collection in ``folder`` with the judgments of ``qrels/<split>.tsv`` or ``.txt``.

    The queries are queries.jsonl, else queries.tsv or topics.txt or topics.xml.

    Raises:
        SettingsError: a file is missing or a line is wrong; the message names file and line.
    """
    documents = {
        row["_id"]: Document(row["_id"], {"title": row["title"], "text": row["text"]})
        for row in texts_of(folder / "corpus.jsonl", "_id", ("title", "text"), optional="title")
    }
    source = _first(folder / name for name in _QUERIES)
    texts = read_queries(source)
    path = _first(folder / "qrels" / f"{split}.{ending}" for ending in ("tsv", "txt"))
    qrels = read_qrels(path)
    judged = judged_queries(texts, qrels, path, source)
    return Collection(folder.resolve().name, split, documents, judged, qrels)


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read judgments in BEIR's form or TREC's, told apart line by line.

    BEIR has query-id, corpus-id and score between tabs, below a header; TREC topic, iteration,
    document and relevance between white space.

    Raises:
        SettingsError: the file is missing or empty, or a line is wrong.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in lines(path):
        cells = line.split("\t")
        if number == 1 and cells[0] == _HEADER:
            continue
        query, document, grade = _judgment(line, f"{path}, line {number}")
        add_judgment(qrels, query, document, grade, f"{path}, line {number}")
    if not qrels:
        raise SettingsError(f"{path} judges no query; give another split")
    return qrels


def _first(paths: Iterable[Path]) -> Path:
    """The first that is there; where none is, the usual one, for the message."""
    several = list(paths)
    return next((path for path in several if path.exists()), several[0])


def _judgment(line: str, where: str) -> tuple[str, str, int]:
    """Three cells between tabs are BEIR's; an id there may hold spaces. Four are TREC's."""
    cells = line.split("\t")
    if len(cells) != 3:
        cells = line.split()
        del cells[1:2]  # the iteration, which nobody uses
    try:
        query, document, grade = cells
        return query, document, int(grade)
    except ValueError as error:
        raise SettingsError(
            f"{where}: expected query-id, corpus-id and a whole score, separated by tabs, or "
            "TREC's topic, iteration, document and a whole relevance"
        ) from error
