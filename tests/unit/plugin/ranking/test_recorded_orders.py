"""A hundred orders that a teacher model gave, as prompts and answers of ours and back again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugin.ranking.hits import Hit, Ranking, RankRequest, Status, Strategy
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.insertrank import Answer, InsertRankOptions, plan
from plugin.ranking.llm_prompt import PromptOptions
from plugin.ranking.permutation import Outcome, parse
from tests.doubles import WordTokenizer

FORMS = (
    " > ".join,
    "\n".join,
    ", ".join,
    lambda ids: "Here is my ranking:\n\n" + " > ".join(ids),
    lambda ids: "<think>[1] seems best, [2] next</think>" + ">".join(ids),
)


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[dict[str, Any]]:
    file = shared_data / "listwise-permutations" / "msmarco_train_gpt_100.jsonl"
    if not file.exists():
        pytest.skip("the recorded permutations are not among the test collections")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_recorded_order_reads_back_as_it_was(recorded: list[dict[str, Any]]) -> None:
    assert len(recorded) == 100
    for one in recorded:
        wanted = tuple(number - 1 for number in one["permutation"])
        for form in FORMS:
            read = parse(form([f"[{number}]" for number in one["permutation"]]), len(wanted))
            assert (read.order, read.outcome) == (wanted, Outcome.CLEAN)
        cut = parse(" > ".join(f"[{n}]" for n in one["permutation"])[:-2], len(wanted))
        assert cut.stated == wanted[:-1]
        assert cut.truncated


@pytest.mark.parametrize("order", list(InitialOrder))
def test_its_passages_as_a_prompt_and_its_order_as_an_answer_are_a_ranking(
    recorded: list[dict[str, Any]], order: InitialOrder
) -> None:
    options = InsertRankOptions(PromptOptions(initial_order=order))
    for one in recorded:
        hits = tuple(
            Hit(f"p{place}", 30.0 - place, text) for place, text in enumerate(one["passages"])
        )
        planned = plan(
            RankRequest(one["query"], hits, strategy=Strategy.INSERTRANK), options, WordTokenizer()
        )
        (prompt,) = planned.advance()
        wanted = [number - 1 for number in one["permutation"]]
        lines = prompt.messages[1].content.splitlines()
        assert [line.split("]")[0] for line in lines[: len(hits)]] == [
            f"[{number}" for number in range(1, len(hits) + 1)
        ]

        answer = " > ".join(f"[{prompt.shown.index(place) + 1}]" for place in wanted)
        ranking = planned.advance([Answer(answer)])

        assert isinstance(ranking, Ranking)
        assert ranking.ids == tuple(f"p{place}" for place in wanted)
        assert ranking.status is Status.RERANKED
