"""What the demo runs and how it is judged, over searches that are made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.search import SearchOptions, SearchResult
from evaluation.collections import Collection
from evaluation.measures import MAIN, measure
from plugin.ranking.errors import SidecarUnavailable
from plugin.ranking.hits import Status, Strategy
from plugin.ranking.wire import ModelCard, WireFusion
from rankside.demo.run import (
    BM25,
    COSINE,
    INDEX,
    MRR,
    RANKSIDE,
    SHOWN,
    WARM_UP,
    Searches,
    _examples,
    _quality,
    search_all,
    systems,
)

REMEDY = "ask the doctor"
QUERIES = {"q1": "one", "q2": "two", "q3": "three"}
QRELS = {"q1": {"a": 2}, "q2": {"b": 1}, "q3": {"c": 2}}
COLLECTION = Collection("made", "test", {}, QUERIES, QRELS)


def found(*ids: str, status: Status = Status.RERANKED, reason: str | None = None) -> SearchResult:
    hits = [{"_id": id_, "_score": float(-rank)} for rank, id_ in enumerate(ids)]
    return SearchResult(
        body={"hits": {"hits": hits}},
        status=status,
        reason=reason,
        detail=None,
        strategy=Strategy.E2RANK,
        model=None,
        signals={},
        timings_ms={"total": 4.0},
        first_stage={},
    )


class MadeUp:
    """A searcher that answers each query with the ids given, or with one result for all."""

    def __init__(self, answers: Mapping[str, SearchResult] | SearchResult) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def search(
        self, index: str, body: Mapping[str, Any], options: SearchOptions
    ) -> SearchResult:
        del options
        assert index == INDEX
        text = body["query"]["multi_match"]["query"]
        self.asked.append(text)
        return self.answers if isinstance(self.answers, SearchResult) else self.answers[text]


def searches(q1: str, q2: str, q3: str) -> Searches:
    """One string of one-letter ids a query."""
    return Searches({"q1": found(*q1), "q2": found(*q2), "q3": found(*q3)})


async def test_every_query_is_searched_once_after_warming_up() -> None:
    many = {f"q{number}": f"text {number}" for number in range(2 * WARM_UP)}
    searcher, steps = MadeUp(found("a")), []

    done = await search_all(searcher, many, SearchOptions(), lambda: steps.append(1), REMEDY)

    texts = list(many.values())
    assert searcher.asked == [*texts[:WARM_UP], *texts]
    assert len(steps) == len(searcher.asked)
    assert list(done.results) == list(many)
    assert len(done.timings) == len(many), "searches that warm up are not timed"


async def test_a_search_that_was_passed_through_ends_it_with_the_remedy() -> None:
    lost = found("a", status=Status.PASSED_THROUGH, reason="sidecar_unavailable")
    answers = {"one": found("a"), "two": lost, "three": found("a")}
    with pytest.raises(SidecarUnavailable, match=r"'two' was not reranked .*; ask the doctor"):
        await search_all(MadeUp(answers), QUERIES, SearchOptions(), lambda: None, REMEDY)


@pytest.mark.parametrize("reason", ["strategy_none", "no_hits"])
async def test_a_search_that_has_nothing_to_rerank_is_a_result(reason: str) -> None:
    passed = found(status=Status.PASSED_THROUGH, reason=reason)
    done = await search_all(MadeUp(passed), QUERIES, SearchOptions(), lambda: None, REMEDY)
    assert done.run == {"q1": [], "q2": [], "q3": []}


def test_a_run_keeps_the_order_and_the_scores_of_the_engine() -> None:
    run = searches("ab", "b", "c").run
    assert [(hit.id, hit.score) for hit in run["q1"]] == [("a", 0.0), ("b", -1.0)]


def test_the_first_stage_is_compared_with_the_cosine_alone_and_with_the_models_own_signals() -> (
    None
):
    compared = systems()
    assert compared[BM25].strategy is Strategy.NONE
    assert compared[RANKSIDE].fusion is None, "the model's own"
    fusion = compared[COSINE].fusion
    assert fusion is not None
    assert (fusion.listwise, fusion.query, fusion.rocchio, fusion.first_stage) == (0, 1, 0, 0)


def test_the_examples_are_the_greatest_gain_the_median_and_the_greatest_loss() -> None:
    runs = {BM25: searches("xa", "bx", "cx"), RANKSIDE: searches("ax", "bx", "xc")}
    scores = {name: measure(QRELS, each.run) for name, each in runs.items()}

    gain, median, loss = _examples(runs, COLLECTION, scores)

    assert [one.label for one in (gain, median, loss)] == [
        "greatest gain",
        "median",
        "greatest loss",
    ]
    assert [one.query for one in (gain, median, loss)] == ["one", "two", "three"]
    assert gain.before == [("x", 0), ("a", 2)]
    assert gain.after == [("a", 2), ("x", 0)]
    assert gain.ndcg_before < gain.ndcg_after == 1
    assert median.ndcg_before == median.ndcg_after
    assert loss.ndcg_before == 1 > loss.ndcg_after


def test_an_example_shows_the_head_only() -> None:
    runs = dict.fromkeys((BM25, RANKSIDE), searches("abcdefgh", "b", "c"))
    scores = {name: measure(QRELS, each.run) for name, each in runs.items()}
    shown = {one.query: one for one in _examples(runs, COLLECTION, scores)}
    assert all(len(one.before) <= SHOWN for one in shown.values())
    assert [id_ for id_, _ in shown["one"].before] == list("abcde")


def test_each_system_is_tested_against_bm25_and_names_its_signals() -> None:
    runs = {
        BM25: searches("xa", "xb", "xc"),
        COSINE: searches("ax", "bx", "cx"),
        RANKSIDE: searches("ax", "bx", "xc"),
    }
    scores = {name: measure(QRELS, each.run) for name, each in runs.items()}
    card = ModelCard(id="words", fusion=WireFusion(listwise=0.5, query=1))

    bm25, cosine, ours = (_quality(name, scores, card) for name in runs)

    assert (bm25.p_value, bm25.signals) == (None, {"first_stage": 1.0})
    assert (bm25.mrr, cosine.mrr) == (0.5, 1.0)
    assert bm25.ndcg == scores[BM25].means[MAIN]
    assert cosine.p_value is not None
    assert 0 < cosine.p_value <= 1
    assert cosine.signals == {"query": 1.0}
    assert (ours.signals["listwise"], ours.signals["query"]) == (0.5, 1)
    assert ours.mrr == scores[RANKSIDE].means[MRR]
