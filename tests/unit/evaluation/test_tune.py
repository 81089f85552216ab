from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from evaluation.collections import Collection, load_collection, sampled
from evaluation.live_index import LiveIndex
from evaluation.memory import first_stage_hits
from evaluation.runs import read_run
from evaluation.score_mode import within
from evaluation.tune import InUse, TuneOptions
from evaluation.tune_report import score_mode_line, sentence
from evaluation.tune_session import SessionOptions, TuneSession, forecast, run_tuning
from evaluation.tuning import Prompt, Setting
from plugin.models.llm_options import LLMOptions
from plugin.models.options import FusionOptions, ModelOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import FusionWeights
from plugin.ranking.score_labels import ScoreMode
from tests.judged import HITS, QUERIES, write_judged
from tests.llm_server import LLMServer, whole
from tests.serving import serving

MINILM = "all-minilm-l6-v2"
GRID = TuneOptions(windows=(5, 12), prompt_hits=(3,), folds=5, present_window=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_judged(tmp_path_factory.mktemp("judged") / "articles")


@pytest.fixture(scope="module")
def collection(folder: Path) -> Collection:
    return load_collection(folder, "dev")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class Reader(LLMServer):
    """Puts the passage that answers first, but only where no score stands beside it."""

    async def chat(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        prompt = self.bodies[-1]["messages"][-1]["content"]
        view, _, subject = prompt.rpartition("Search query: ")[2].partition(" of a ")
        found = re.search(rf"\[(\d+)\] {view.capitalize()}: {subject}", prompt)
        return JSONResponse(whole(f"[{found[1]}]" if found else "[1] > [2]"))


def options(folder: Path, cache: Path, **changes: Any) -> SessionOptions:
    model = ModelOptions(name=MINILM)
    plain = SessionOptions(tune=GRID, run=folder / "poor.trec", model=model, cache=cache)
    return replace(plain, **changes)


async def tuned(collection: Collection, chosen: SessionOptions) -> TuneSession:
    return await run_tuning(collection, chosen)


async def test_a_bad_setting_is_left_for_what_is_better_on_queries_held_out(
    collection: Collection, folder: Path, cache: Path
) -> None:
    first_stage_only = ModelOptions(name=MINILM, fusion=FusionOptions(first_stage=1))
    session = await tuned(collection, options(folder, cache, model=first_stage_only))
    document = session.to_json()
    weights = document["weights"]
    assert weights["taken"]
    assert (weights["queries"], weights["folds"]) == (QUERIES, 5)
    # The first stage put in its own order is the first stage.
    assert weights["present"]["nDCG@10"] == weights["first_stage"]["nDCG@10"]
    held_out = weights["held_out"]
    low, high = held_out["vs_present"]["ci95"]
    assert 0 < low < held_out["vs_present"]["difference"] < high
    assert held_out["vs_present"] == held_out["vs_first_stage"]
    assert sum(fold["queries"] for fold in weights["by_fold"]) == QUERIES
    of_folds = sum(fold["queries"] * fold["held_out"] for fold in weights["by_fold"]) / QUERIES
    assert of_folds == pytest.approx(held_out["nDCG@10"], abs=1e-5)
    model = document["settings"]["model"]
    assert model["name"] == MINILM
    assert any(model["fusion"][name] for name in ("query", "listwise", "rocchio"))
    assert document["settings"]["pipelines"]["window"] in GRID.windows
    assert "held-out nDCG@10" in session.note
    # What the setting scores on the queries it was chosen on is nowhere.
    assert session.tuned is not None
    assert "is taken" in sentence(session.tuned)
    assert set(weights["chosen"]) == {"fusion", "prompt_hits", "rocchio_hits", "window"}


async def test_the_present_setting_is_kept_where_nothing_is_better_than_luck(
    collection: Collection, folder: Path, cache: Path
) -> None:
    query = ModelOptions(name=MINILM, fusion=FusionOptions(query=1))
    session = await tuned(collection, options(folder, cache, model=query))
    document = session.to_json()
    assert not document["weights"]["taken"]
    assert document["settings"] == {}
    assert document["weights"]["present"]["nDCG@10"] > document["weights"]["first_stage"]["nDCG@10"]
    assert "present setting" in document["weights"]["why"]


async def test_the_same_seed_gives_the_same_figures(
    collection: Collection, folder: Path, cache: Path
) -> None:
    first, second = [
        (await tuned(collection, options(folder, cache))).to_json()["weights"] for _ in range(2)
    ]
    assert first == second


async def test_too_few_queries_are_told_before_anything_is_run(
    collection: Collection, folder: Path, cache: Path
) -> None:
    few = sampled(collection, 10, seed=1)
    with pytest.raises(SettingsError, match="10 judged queries are too few"):
        await run_tuning(few, options(folder, cache, run=folder / "none.trec"))
    with pytest.raises(SettingsError, match="10 judged queries are too few"):
        await forecast(few, options(folder, cache))


def test_a_setting_uses_only_what_its_weights_read() -> None:
    present = InUse(FusionWeights(1.0), prompt_hits=20, rocchio_hits=3, window=100)
    grid = Prompt("own", 5, 1)
    query = InUse.of(Setting(grid, (0, 4, 0), 0, window=50), present)
    assert query == InUse(FusionWeights(0.0, query=1.0), 20, 3, 50)
    both = InUse.of(Setting(grid, (0, 2, 2), 0, window=50), present)
    assert (both.prompt_hits, both.rocchio_hits) == (5, 1)
    assert str(both) == "query 0.5, rocchio 0.5; window 50, prompt hits 5, Rocchio hits 1"
    # A search shows no more hits than its window has.
    assert replace(present, window=10).prompt.prompt_hits == 10


def test_windows_that_see_the_same_hits_are_tried_once(
    collection: Collection, folder: Path
) -> None:
    hits = first_stage_hits(collection, read_run(folder / "poor.trec"), 100)
    assert TuneOptions(windows=(50, 5, 20)).windows_for(hits) == (5, 20)
    assert TuneOptions(windows=(5,)).windows_for(hits) == (5,)


@pytest.mark.parametrize("wrong", [{"windows": ()}, {"windows": (0,)}, {"prompt_hits": (3, 3)}])
def test_a_grid_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="whole numbers from 1, each once"):
        TuneOptions(**wrong)


async def test_what_it_would_take_is_told_without_doing_it(
    collection: Collection, folder: Path, cache: Path
) -> None:
    llm = LLMServer()
    with serving(llm.app) as url:
        asked = LLMOptions.model_validate({"url": f"{url}/v1", "window": 10, "max_tokens": 64})
        told = await forecast(collection, options(folder, cache, llm=asked, llm_calls=10_000))
    assert llm.bodies == []
    assert told["texts_to_encode_at_most"]["queries"] == QUERIES
    assert told["settings_to_try"] > 100
    cost = told["llm"]
    assert cost["calls"] == len(ScoreMode) * QUERIES  # a window of 10 is one prompt
    assert cost["answer_tokens_at_most"] == cost["calls"] * 64
    assert cost["prompt_tokens_about"] > cost["calls"] * 10
    assert cost["price_at_most"] is None
    priced = asked.model_copy(
        update={"price": asked.price.model_copy(update={"prompt": 2.0, "completion": 3.0})}
    )
    told = await forecast(collection, options(folder, cache, llm=priced, llm_calls=10_000))
    expected = (2 * cost["prompt_tokens_about"] + 3 * cost["answer_tokens_at_most"]) / 1e6
    assert told["llm"]["price_at_most"] == pytest.approx(expected, abs=1e-4)


def test_fewer_calls_are_fewer_queries_and_too_few_are_refused(
    collection: Collection, folder: Path
) -> None:
    hits = first_stage_hits(collection, read_run(folder / "poor.trec"), 100)
    asked = LLMOptions.model_validate({"url": "http://127.0.0.1:9/v1", "window": 10})
    sample = within(25 * len(ScoreMode) + 3, asked, collection, hits, seed=1)
    assert sample.cost.queries == len(sample.collection.queries) == 25
    assert sample.cost.calls == 25 * len(ScoreMode)
    with pytest.raises(SettingsError, match=r"is enough for 2 queries .* allow 100 calls"):
        within(12, asked, collection, hits, seed=1)


def test_an_index_is_its_own_first_stage(folder: Path, cache: Path) -> None:
    with pytest.raises(SettingsError, match="leave out --index, or --run"):
        options(folder, cache, live=LiveIndex("articles"))


def test_calls_without_an_llm_are_refused() -> None:
    with pytest.raises(SettingsError, match="RANKSIDE_LLM__URL"):
        SessionOptions(llm_calls=100)


async def test_a_score_mode_is_taken_where_the_llm_ranks_better_by_it(
    collection: Collection, folder: Path, cache: Path
) -> None:
    server = Reader()
    with serving(server.app) as url:
        asked = LLMOptions.model_validate(
            {"url": f"{url}/v1", "window": HITS, "stream": False, "passage_words": 60}
        )
        session = await run_tuning(
            collection, options(folder, cache, llm=asked, llm_calls=QUERIES * len(ScoreMode))
        )
    found = session.score_mode
    assert found is not None
    assert (found.present, found.chosen) == (ScoreMode.RAW, ScoreMode.OFF)
    assert session.settings["llm"] == {"score_mode": "off"}
    assert "off is taken instead of raw" in score_mode_line(found)
    document = session.to_json()["score_mode"]
    assert document["held_out"]["vs_present"]["ci95"][0] > 0
    assert document["cost"]["calls"] == QUERIES * len(ScoreMode) == len(server.bodies)
    assert session.unanswered == 0
    assert json.dumps(document)
