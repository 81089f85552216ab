"""Test collections in the forms they are published in. Nothing is fetched: the files lie there."""

from __future__ import annotations

from pathlib import Path

from evaluation import bright, r2med
from evaluation.beir import load_beir, read_qrels
from evaluation.collection import Collection, Document, Excluded, Qrels, sampled

__all__ = [
    "Collection",
    "Document",
    "Excluded",
    "Qrels",
    "load_collection",
    "read_qrels",
    "sampled",
]


def load_collection(folder: Path, split: str = "test") -> Collection:
    """Read the collection in ``folder``, in BRIGHT's, R2MED's or BEIR's form, by what is there.

    ``split`` is BEIR's split of the judgments, BRIGHT's task, or ``test`` of R2MED.

    Raises:
        SettingsError: a file is missing or a line is wrong; the message names file and line.
    """
    if bright.is_bright(folder):
        return bright.load_bright(folder, split)
    if r2med.is_r2med(folder):
        return r2med.load_r2med(folder, split)
    return load_beir(folder, split)
