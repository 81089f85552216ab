"""A judged collection of some of the articles: queries enough to choose settings on, a poor run."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.articles import SUBJECTS, VIEWS, article_documents

QUERIES = 30
HITS = 12


def write_judged(folder: Path) -> Path:
    """The collection as a BEIR folder with a split `dev`, and a run beside it; the folder.

    A query asks for one view of one subject. The run has that document somewhere among others of
    the subject and of the view, in an order that means nothing.
    """
    subjects = [subject for subject, _ in SUBJECTS[: len(VIEWS)]]
    documents = {id_: one for id_, one in article_documents().items() if one["subject"] in subjects}
    (folder / "qrels").mkdir(parents=True)
    queries, qrels, run = [], ["query-id\tcorpus-id\tscore"], []
    random_ = random.Random(7)
    for number in range(QUERIES):
        subject = subjects[number % len(VIEWS)]
        view = VIEWS[(number // len(VIEWS) + number) % len(VIEWS)][0]
        near = [
            id_
            for id_, one in documents.items()
            if one["subject"] == subject or one["view"] == view.lower()
        ]
        wanted = next(id_ for id_ in near if documents[id_]["title"] == f"{view}: {subject}")
        others = [id_ for id_ in near if id_ != wanted]
        found = [wanted, *random_.sample(others, HITS - 1)]
        random_.shuffle(found)
        queries.append({"_id": f"q{number}", "text": f"{view.lower()} of a {subject}"})
        qrels.append(f"q{number}\t{wanted}\t1")
        run += [
            f"q{number} Q0 {id_} {rank} {30 - rank} made" for rank, id_ in enumerate(found, start=1)
        ]
    rows = [
        {"_id": id_, "title": one["title"], "text": one["text"]} for id_, one in documents.items()
    ]
    _lines(folder / "corpus.jsonl", [json.dumps(row) for row in rows])
    _lines(folder / "queries.jsonl", [json.dumps(row) for row in queries])
    _lines(folder / "qrels" / "dev.tsv", qrels)
    _lines(folder / "poor.trec", run)
    return folder


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", "utf-8")
