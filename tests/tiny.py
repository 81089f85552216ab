"""A tiny judged collection in BEIR form, made for the project: bread, boats and beehives."""

from __future__ import annotations

import json
from pathlib import Path

DOCUMENTS = {
    "bread": ("Sourdough", "Flour and water ferment for a day before the loaf is baked."),
    "rolls": ("Rolls", "Small loaves baked fast from a yeast dough with milk."),
    "oven": ("", "An oven for loaves holds its heat in a thick stone floor."),
    "keel": ("Keel", "The keel of a sailing boat keeps it from drifting sideways in wind."),
    "sail": ("Sail", "Canvas set on a mast turns wind into motion of the boat."),
    "anchor": ("Anchor", "Iron on a chain that holds a boat where it is in a storm."),
    "hive": ("Beehive", "Bees store honey in combs of wax inside the hive."),
    "smoke": ("Smoker", "Smoke calms bees while the keeper opens the hive."),
    "empty": ("", ""),
}
QUERIES = {
    "q1": "how do bakers make a loaf rise",
    "q2": "what stops a boat from drifting in wind",
    "q3": "calming bees before opening the hive",
    "q4": "a query that nobody judged",
}
QRELS = {
    "q1": {"bread": 2, "rolls": 1, "oven": 0},
    "q2": {"keel": 2, "anchor": 1},
    "q3": {"smoke": 2, "hive": 1},
}
RUN = {
    "q1": ("oven", "bread", "sail", "rolls", "empty"),
    "q2": ("sail", "anchor", "keel", "hive"),
    "q3": ("hive", "smoke", "bread"),
}


def write_collection(folder: Path) -> Path:
    """The collection as files; the folder."""
    (folder / "qrels").mkdir(parents=True)
    _write(
        folder / "corpus.jsonl",
        [{"_id": id_, "title": title, "text": text} for id_, (title, text) in DOCUMENTS.items()],
    )
    _write(folder / "queries.jsonl", [{"_id": id_, "text": text} for id_, text in QUERIES.items()])
    lines = ["query-id\tcorpus-id\tscore"]
    lines += [f"{q}\t{d}\t{grade}" for q, grades in QRELS.items() for d, grade in grades.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def write_first_stage(path: Path) -> Path:
    """A first stage of the collection as a TREC run; the path."""
    lines = [
        f"{query} Q0 {id_} {rank} {10 - rank}.5 made"
        for query, ids in RUN.items()
        for rank, id_ in enumerate(ids, start=1)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
