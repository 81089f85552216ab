from __future__ import annotations

import pytest

from evaluation.strategies import NONE, Variant, parse_variants, signals_of
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
