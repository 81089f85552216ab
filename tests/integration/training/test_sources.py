"""A team's own index as the source of examples: what it has is taken, nothing is embedded again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions
from evaluation.collections import Collection, load_collection
from evaluation.engine import drop, prepare
from evaluation.judged import judged_collection
from evaluation.vectors import CachedEmbedder, CachedEncoder
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input
from tests.tiny import DOCUMENTS, write_collection
from training.sources import engine_run, index_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "tiny")


@pytest.fixture
def tiny(folder: Path) -> Collection:
    return load_collection(folder)


@pytest.fixture(params=["opensearch", "elasticsearch"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    client = await connect(EngineOptions(url=request.getfixturevalue(f"{request.param}_url")))
    yield client
    await client.close()


@pytest.fixture
async def index(
    engine: Engine, tiny: Collection, minilm: Encoder, tmp_path: Path
) -> AsyncIterator[str]:
    """The collection in an index, with the model's vectors."""
    embedder = CachedEmbedder(CachedEncoder(minilm, tmp_path / "cache"))
    name = await prepare(engine, tiny, embedder)
    yield name
    await drop(engine, name)


async def test_hits_come_with_text_and_stored_vector(
    engine: Engine, index: str, folder: Path, minilm: Encoder
) -> None:
    (folder / "corpus.jsonl").unlink()  # a team's documents are in its index
    judged = _judged(index, folder)

    source = await index_source(engine, index, judged, 5, minilm.profile)

    assert source.hits.keys() == {"q1", "q2", "q3"}
    first = source.hits["q2"][0]
    title, text = DOCUMENTS[first.id]
    assert first.text == f"{title}\n{text}"
    assert source.collection.documents[first.id].text == first.text
    assert first.vector is not None
    made = minilm.encode([document_input(minilm.profile, first.text)]).vectors[0]
    assert np.abs(first.vector / np.linalg.norm(first.vector) - made).max() < 1e-2


async def test_vectors_of_another_model_are_not_taken(
    engine: Engine, index: str, folder: Path, minilm: Encoder
) -> None:
    other = replace(minilm.profile, revision="another")

    source = await index_source(engine, index, _judged(index, folder), 5, other)

    assert all(hit.vector is None for hits in source.hits.values() for hit in hits)


async def test_a_folder_is_searched_through_an_index_without_vectors(
    engine: Engine, tiny: Collection
) -> None:
    run = await engine_run(engine, tiny, 2)

    assert all(len(found) <= 2 for found in run.values())
    assert {item.id for item in run["q3"]} & {"smoke", "hive"}
    await drop(engine, await prepare(engine, tiny, None))


def _judged(index: str, folder: Path) -> Collection:
    return judged_collection(index, folder / "queries.jsonl", folder / "qrels" / "test.tsv")
