from __future__ import annotations

from evaluation.tuning import Prompt, Scored, Setting
from evaluation.weights import LAYOUTS, describe, with_choice
from plugin.models import registry

MINILM = registry.get("all-minilm-l6-v2")


def chosen(listwise: int, query: int, rocchio: int) -> Scored:
    return Scored(Setting(Prompt("labelled", 20, 1), (listwise, query, rocchio), 5), 0.5, 0.5)


def test_what_the_weights_do_not_use_is_left_as_the_registry_has_it() -> None:
    made = with_choice(MINILM, chosen(0, 4, 0))
    assert (made.listwise, made.rocchio_hits) == (MINILM.listwise, MINILM.rocchio_hits)
    assert made == MINILM
    assert describe(chosen(0, 4, 0)) == (
        "query 1, first_stage 0.06; prompt hits 20; dev nDCG@10 0.5000"
    )


def test_what_they_use_is_as_chosen() -> None:
    made = with_choice(MINILM, chosen(1, 2, 1))
    assert (made.listwise, made.rocchio_hits) == (LAYOUTS["labelled"], 1)
    assert "Rocchio hits 1, layout 'labelled'" in describe(chosen(1, 2, 1))
