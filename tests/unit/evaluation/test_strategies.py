from __future__ import annotations

import pytest

from evaluation.strategies import (
    E2RANK,
    NONE,
    Variant,
    depth,
    grid,
    parse_variants,
    signals_of,
)
from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import FusionWeights, Strategy


def test_settings_belong_to_the_strategy_before_them() -> None:
    found = parse_variants("none, e2rank:query=1,first_stage=0.1,prompt_hits=5,rocchio")
    assert found == (
        NONE,
        Variant(
            "e2rank:query=1,first_stage=0.1,prompt_hits=5",
            Strategy.E2RANK,
            FusionWeights(0.0, query=1.0, first_stage=0.1),
            5,
        ),
        Variant("rocchio", Strategy.E2RANK, FusionWeights(0.0, rocchio=1.0)),
    )


def test_prompt_hits_alone_keep_the_models_weights() -> None:
    (found,) = parse_variants("e2rank:prompt_hits=3")
    assert (found.fusion, found.prompt_hits) == (None, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one or more"),
        ("none,none", "each once"),
        ("best", "'best' is not known"),
        ("query:listwise=1", "is not known"),
        ("e2rank:", "is not known"),
        ("e2rank:bm25=1", "'bm25' is no signal"),
        ("e2rank:query=much", "'much' is not a number"),
        ("e2rank:query=-1", "not negative"),
        ("e2rank:query=0", "all fusion weights are zero"),
        ("e2rank:prompt_hits=0", "whole number"),
        ("e2rank:prompt_hits=2.5", "whole number"),
        ("e2rank:window=0", "window must be a whole number"),
        ("none:window=5", "'none:window=5' is not known"),
    ],
)
def test_a_wrong_strategy_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_variants(text)


def test_signals_are_the_weights_that_count() -> None:
    default = FusionWeights(0.0, query=1.0, first_stage=0.2)
    plain, explicit, llm = parse_variants("e2rank,e2rank:listwise=1,insertrank")
    assert signals_of(plain, default) == {"query": 1.0, "first_stage": 0.2}
    assert signals_of(explicit, default) == {"listwise": 1.0}
    assert signals_of(llm, default) == {}
    assert signals_of(NONE, default) == {}


def test_a_grid_holds_every_pair_where_it_changes_anything() -> None:
    found = grid(parse_variants("none,query,rocchio,e2rank,cascade"), (20, 100), (5, 10))
    assert [one.label for one in found] == [
        "none",
        "query:window=20",
        "query:window=100",
        "rocchio:window=20",
        "rocchio:window=100",
        *(
            f"{name}:window={w},prompt_hits={n}"
            for name in ("e2rank", "cascade")
            for w in (20, 100)
            for n in (5, 10)
        ),
    ]
    assert (found[5].window, found[5].prompt_hits, found[5].family) == (20, 5, "e2rank")


def test_labels_of_a_grid_can_be_typed() -> None:
    made = grid(parse_variants("query,insertrank,e2rank:query=1,first_stage=0.1"), (5, 9), (2, 3))
    assert parse_variants(",".join(one.label for one in made)) == made
    assert {one.family for one in made} == {"query", "insertrank", "e2rank:query=1,first_stage=0.1"}


def test_what_a_strategy_sets_itself_stays() -> None:
    variants = parse_variants("e2rank:window=7,prompt_hits=3,query:window=300")
    assert grid(variants, (20, 100), (5, 10)) == variants
    assert depth(variants, (20, 100)) == 300


def test_one_window_is_everybodys() -> None:
    assert grid((NONE, E2RANK), (20,)) == (NONE, E2RANK)
    assert depth((NONE, E2RANK), (20,)) == 20


def test_two_of_the_same_are_refused() -> None:
    with pytest.raises(SettingsError, match="e2rank:window=20 is there twice"):
        grid((E2RANK,), (20, 20, 100))
