"""`rankside tune` over an index of a real node: its own texts and stored vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.connect import connect
from connectors.engine import Engine
from connectors.options import EngineOptions
from evaluation.collections import Collection, load_collection
from evaluation.engine import STANDARD, IndexPlan, drop, prepare
from evaluation.live_index import LiveIndex
from evaluation.tune import TuneOptions
from evaluation.tune_session import SessionOptions, forecast, run_tuning
from evaluation.vectors import CachedEmbedder, CachedEncoder
from plugin.models.encoder import Encoder
from plugin.models.options import FusionOptions, ModelOptions
from plugin.ranking.errors import SettingsError
from tests.judged import QUERIES, write_judged

MODEL = ModelOptions(name="all-minilm-l6-v2", fusion=FusionOptions(first_stage=1))
GRID = TuneOptions(windows=(20,), prompt_hits=(3,), present_window=20)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return load_collection(write_judged(tmp_path / "articles"), "dev")


@pytest.fixture
async def engine(opensearch_url: str) -> AsyncIterator[Engine]:
    connected = await connect(EngineOptions(url=opensearch_url))
    yield connected
    await connected.close()


async def test_an_index_is_tuned_with_its_own_hits_and_vectors(
    collection: Collection, engine: Engine, opensearch_url: str, minilm: Encoder, tmp_path: Path
) -> None:
    encoder = CachedEncoder(minilm, tmp_path / "ingest")
    index = await prepare(engine, collection, CachedEmbedder(encoder))
    bare = replace(collection, documents={}, split="")
    options = SessionOptions(
        tune=GRID,
        engine=EngineOptions(url=opensearch_url),
        live=LiveIndex(index),
        model=MODEL,
        cache=tmp_path / "tune",
    )
    try:
        told = await forecast(bare, options)
        session = await run_tuning(bare, options)
        other = replace(options, model=ModelOptions(name="e2rank-0.6b", revision="0" * 40))
        with pytest.raises(SettingsError, match=r"set model\.name to the index's model"):
            await forecast(bare, other)
    finally:
        await drop(engine, index)
    # Every vector is in the index: only queries and prompts are left to encode.
    assert told["texts_to_encode_at_most"]["documents"] == 0
    assert told["texts_to_encode_at_most"]["queries"] == QUERIES
    document = session.to_json()
    assert document["first_stage"]["index"] == index
    weights = document["weights"]
    assert weights["present"]["nDCG@10"] == weights["first_stage"]["nDCG@10"]
    # What the core makes of the same hits by text alone is what it makes of the stored vectors.
    try:
        by_text = await run_tuning(collection, replace(options, live=None))
    finally:
        await drop(engine, IndexPlan(collection, STANDARD, None).name)
    assert by_text.to_json()["weights"]["held_out"]["nDCG@10"] == pytest.approx(
        weights["held_out"]["nDCG@10"], abs=0.02
    )
