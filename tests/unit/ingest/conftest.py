from __future__ import annotations

from pathlib import Path

import pytest

from ingest.checkpoint import Job
from ingest.source import PartIdentity


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        source=str(tmp_path / "corpus.jsonl"),
        parts=(PartIdentity(name="corpus.jsonl", size=10, mtime_ns=1, head="ab"),),
        index="books",
        url="http://127.0.0.1:9200",
        fingerprint="f" * 16,
        text_fields=("title", "text"),
        id_fields=("_id",),
        vector_field="rankside_vector",
    )
