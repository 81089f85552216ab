from __future__ import annotations

import random

import pytest

from plugin.models.local.guided import GuidedOrder
from plugin.models.tokenizer import HubTokenizer
from plugin.ranking.llm_prompt import ChatMessage
from plugin.ranking.permutation import Outcome, parse
from tests.unit.plugin.models.conftest import tokenizer
from tests.unit.plugin.models.local.conftest import Make

TURNS = (ChatMessage("user", "Which is best?"),)
PATIENCE = 300.0


@pytest.mark.parametrize("passages", [1, 2, 12, 111])
def test_whatever_is_picked_of_what_is_allowed_is_a_permutation(passages: int) -> None:
    read = HubTokenizer(tokenizer())
    orders = set()
    for seed in range(3):
        order, picks, made = GuidedOrder(passages, read), random.Random(seed), []
        while not order.complete:
            made.append(picks.choice(order.allowed()))
            order.take(made[-1])
        found = parse(read.text(made), passages)
        assert found.outcome is Outcome.CLEAN
        orders.add(found.order)
    assert len(orders) > 1 or passages < 12


async def test_a_model_that_knows_nothing_writes_an_order(make: Make) -> None:
    llm = make(max_tokens=200, guided_decoding="grammar")

    completion = await llm.complete(TURNS, timeout=PATIENCE, passages=12)

    assert parse(completion.text, 12).outcome is Outcome.CLEAN
    assert completion.text.endswith("]")
    assert not completion.cut


async def test_an_order_over_its_tokens_is_cut(make: Make) -> None:
    llm = make(max_tokens=20, guided_decoding="grammar")

    completion = await llm.complete(TURNS, timeout=PATIENCE, passages=12)

    assert completion.cut
    assert parse(completion.text, 12, cut=True).outcome is Outcome.REPAIRED


async def test_what_is_no_order_is_written_freely(make: Make) -> None:
    guided, free = make(max_tokens=16, guided_decoding="grammar"), make(max_tokens=16)

    answers = [await llm.complete(TURNS, timeout=PATIENCE) for llm in (guided, free)]

    assert answers[0] == answers[1]
