"""R2MED's form: a folder a dataset, with corpus.jsonl, query.jsonl and qrels.jsonl.

Source of the form: the dataset cards (https://huggingface.co/datasets/R2MED/Biology, `configs`),
and the reader of https://github.com/R2MED/R2MED (src/eval_retrieval.py): documents and queries have
`id` and `text`, judgments `q_id`, `p_id` and `score`. Its README speaks of qrels.txt; the files
that are published, and read there, are qrels.jsonl.
"""

from __future__ import annotations

from pathlib import Path

from evaluation.collection import Collection, Document, judged_queries
from evaluation.rows import add_judgment, id_of, objects, texts_of
from plugin.ranking.errors import SettingsError

SPLIT = "test"
"""There is one set of judgments, made for testing."""


def is_r2med(folder: Path) -> bool:
    """Whether ``folder`` is of this form."""
    return (folder / "query.jsonl").exists() and (folder / "qrels.jsonl").exists()


def load_r2med(folder: Path, split: str = SPLIT) -> Collection:
    """Read the dataset in ``folder``.

    Raises:
        SettingsError: there is no such split, a file is missing or a line is wrong.
    """
    if split != SPLIT:
        raise SettingsError(f"{folder} has one split, {SPLIT}, and not {split!r}; give that")
    documents = {
        row["id"]: Document(row["id"], {"title": "", "text": row["text"]})
        for row in texts_of(folder / "corpus.jsonl", "id", ("text",))
    }
    source = folder / "query.jsonl"
    texts = {row["id"]: row["text"] for row in texts_of(source, "id", ("text",))}
    path = folder / "qrels.jsonl"
    qrels = _read_qrels(path)
    judged = judged_queries(texts, qrels, path, source)
    return Collection(folder.resolve().name, split, documents, judged, qrels)


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for where, row in objects(path):
        grade = row.get("score")
        if isinstance(grade, bool) or not isinstance(grade, int):
            raise SettingsError(f"{where}: 'score' must be a whole number, not {grade!r}")
        add_judgment(qrels, id_of(row, "q_id", where), id_of(row, "p_id", where), grade, where)
    if not qrels:
        raise SettingsError(f"{path} judges no query; get a whole copy of it")
    return qrels
