"""What settings are chosen on: judged queries, their first-stage hits, every signal of each hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.engine import Engine
from evaluation import engine as through_engine
from evaluation import memory, signals
from evaluation.collections import Collection
from evaluation.memory import Hits, Track, untracked
from evaluation.strategies import Variant
from evaluation.tuning import DevSet, Prompt
from evaluation.vectors import CachedEncoder
from plugin.ranking.hits import FusionWeights, Strategy
from plugin.ranking.profile import ListwiseTemplate

EVERY_SIGNAL = Variant("every signal", Strategy.E2RANK, FusionWeights(1.0, 1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class FirstStage:
    """A collection with one first stage: its name, judged queries and their hits."""

    name: str
    collection: Collection
    hits: Hits


async def engine_hits(
    engine: Engine, collection: Collection, analyzer: str, k: int, track: Track = untracked
) -> Hits:
    """The engine's own top ``k`` of each query, from an index made now unless it is there.

    Raises:
        EngineError: the engine failed or refused a document.
    """
    index = await through_engine.prepare(engine, collection, None, analyzer=analyzer, track=track)
    run = await through_engine.first_stage(engine, index, collection, k, track)
    return memory.first_stage_hits(collection, run, k)


def dev_set(
    stage: FirstStage,
    prompts: Sequence[Prompt],
    layouts: Mapping[str, ListwiseTemplate],
    encoder: CachedEncoder,
    track: Track = untracked,
) -> DevSet:
    """The signals of the hits by each of ``prompts``, whose layouts are named in ``layouts``.

    Raises:
        ModelError: the encoder failed.
    """
    full = memory.with_vectors(stage.hits, encoder, track)
    advance = track(f"Trying prompts on {stage.name}", len(prompts))
    tables = {}
    for prompt in prompts:
        profile = replace(
            encoder.profile,
            listwise=layouts[prompt.layout],
            prompt_hits=prompt.prompt_hits,
            rocchio_hits=prompt.rocchio_hits,
        )
        rankings = memory.rank(
            stage.collection.queries, full, EVERY_SIGNAL, encoder, profile=profile, track=track
        )
        tables[prompt] = signals.table(rankings, stage.collection.qrels)
        advance(1)
    return DevSet(stage.name, tables)
