from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.collections import Collection, load_collection
from evaluation.runs import Run, read_run
from evaluation.vectors import CachedEncoder
from plugin.models.encoder import Encoder
from tests.tiny import write_collection, write_first_stage


@pytest.fixture
def tiny(tmp_path: Path) -> Collection:
    return load_collection(write_collection(tmp_path / "tiny"))


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    return write_first_stage(tmp_path / "first.trec")


@pytest.fixture
def tiny_run(run_file: Path) -> Run:
    return read_run(run_file)


@pytest.fixture
def encoder(minilm: Encoder, tmp_path: Path) -> CachedEncoder:
    return CachedEncoder(minilm, tmp_path / "cache")
