"""BEIR's form: a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

Source of the form: https://github.com/beir-cellar/beir (wiki, "Load your custom dataset"); of
TREC's judgments, which may stand in its place: https://trec.nist.gov/data/qrels_eng.
"""

from __future__ import annotations

from pathlib import Path

from evaluation.collection import Collection, Document, judged_queries
from evaluation.rows import add_judgment, lines, texts_of
from plugin.ranking.errors import SettingsError

_HEADER = "query-id"


def load_beir(folder: Path, split: str) -> Collection:
    """Read the collection in ``folder`` with the judgments of ``qrels/<split>.tsv``.

    Raises:
        SettingsError: a file is missing or a line is wrong; the message names file and line.
    """
    documents = {
        row["_id"]: Document(row["_id"], {"title": row["title"], "text": row["text"]})
        for row in texts_of(folder / "corpus.jsonl", "_id", ("title", "text"), optional="title")
    }
    queries = texts_of(folder / "queries.jsonl", "_id", ("text",))
    texts = {row["_id"]: row["text"] for row in queries}
    path = folder / "qrels" / f"{split}.tsv"
    qrels = read_qrels(path)
    judged = judged_queries(texts, qrels, path)
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
