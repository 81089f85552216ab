from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.collections import Collection
from evaluation.memory import first_stage_hits, rank, with_vectors
from evaluation.runs import Run, ScoredDocument
from evaluation.strategies import parse_variants
from evaluation.vectors import CachedEncoder
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import Status
from plugin.ranking.prompts import document_input, query_input


def test_hits_are_the_first_of_the_run_with_their_text(tiny: Collection, tiny_run: Run) -> None:
    hits = first_stage_hits(tiny, tiny_run, 2)
    assert [hit.id for hit in hits["q1"]] == ["oven", "bread"]
    assert hits["q1"][1].text == "Sourdough\n" + tiny.documents["bread"].source["text"]
    assert hits["q1"][0].score == 9.5


def test_a_run_of_another_collection_is_refused(tiny: Collection) -> None:
    with pytest.raises(SettingsError, match="none of the 3 judged queries"):
        first_stage_hits(tiny, {"elsewhere": [ScoredDocument("bread", 1.0)]}, 10)
    with pytest.raises(SettingsError, match="document 'x' for query 'q1'"):
        first_stage_hits(tiny, {"q1": [ScoredDocument("x", 1.0)]}, 10)


def test_query_cosine_is_what_the_encoder_says(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder
) -> None:
    (query,) = parse_variants("query")
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    ranking = rank(tiny.queries, hits, query, encoder)["q2"]
    profile = encoder.profile
    asked = encoder.encode([query_input(profile, tiny.queries["q2"])]).vectors[0]
    texts = {hit.id: hit.text or "" for hit in hits["q2"]}
    cosines = {
        id_: float(asked @ encoder.encode([document_input(profile, text)]).vectors[0])
        for id_, text in texts.items()
    }
    assert list(ranking.ids) == sorted(cosines, key=lambda id_: -cosines[id_])
    for one in ranking.hits:
        assert one.score == pytest.approx(cosines[one.hit.id], abs=1e-5)


def test_a_document_without_text_has_no_vector_and_ranks_last(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder
) -> None:
    (query,) = parse_variants("query")
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    assert hits["q1"][-1].vector is None
    ranking = rank(tiny.queries, hits, query, encoder)["q1"]
    assert ranking.ids[-1] == "empty"
    assert ranking.status is Status.PARTIAL


def test_queries_without_hits_and_too_long_ones_are_passed_through(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder
) -> None:
    (listwise,) = parse_variants("listwise")
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    queries = {"q1": "word " * 600, "q2": tiny.queries["q2"]}
    rankings = rank(queries, {**hits, "q2": ()}, listwise, encoder)
    assert rankings["q1"].reason == "request_too_large"
    assert [one.hit.id for one in rankings["q1"].hits] == [hit.id for hit in hits["q1"]]
    assert rankings["q2"].reason == "no_hits"


def test_strategies_that_need_an_llm_are_refused(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder
) -> None:
    (llm,) = parse_variants("insertrank")
    with pytest.raises(SettingsError, match="needs an LLM"):
        rank(tiny.queries, first_stage_hits(tiny, tiny_run, 10), llm, encoder)


def test_another_prompt_layout_changes_the_listwise_signal_alone(
    tiny: Collection, tiny_run: Run, encoder: CachedEncoder
) -> None:
    (both,) = parse_variants("e2rank:listwise=1,query=1")
    hits = with_vectors(first_stage_hits(tiny, tiny_run, 10), encoder)
    turned = replace(
        encoder.profile,
        listwise=replace(encoder.profile.listwise, prompt="{documents}\n{query}"),
    )
    plain = rank(tiny.queries, hits, both, encoder)["q3"].hits
    other = rank(tiny.queries, hits, both, encoder, profile=turned)["q3"].hits
    signals = {one.hit.id: one.signals for one in plain}
    for one in other:
        np.testing.assert_allclose(one.signals["query"], signals[one.hit.id]["query"])
        assert one.signals["listwise"] != signals[one.hit.id]["listwise"]


def test_a_search_whose_prompt_hits_have_no_text_passes_through(
    tiny: Collection, encoder: CachedEncoder
) -> None:
    (listwise,) = parse_variants("listwise")
    run = {"q1": [ScoredDocument("empty", 2.0)], "q2": [ScoredDocument("keel", 1.0)]}
    hits = with_vectors(first_stage_hits(tiny, run, 10), encoder)
    rankings = rank(tiny.queries, hits, listwise, encoder)
    assert rankings["q1"].status is Status.PASSED_THROUGH
    assert rankings["q1"].reason == "no_text"
    assert rankings["q2"].status is Status.RERANKED


def test_a_stored_vector_is_kept(tiny: Collection, tiny_run: Run, encoder: CachedEncoder) -> None:
    hits = first_stage_hits(tiny, tiny_run, 10)
    stored = np.full(encoder.profile.dimensions, 0.5, dtype=np.float32)
    query, (first, *rest) = next(iter(hits.items()))
    full = with_vectors({query: (replace(first, vector=stored), *rest)}, encoder)
    assert full[query][0].vector is stored
    assert full[query][1].vector is not None
