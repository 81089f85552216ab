"""The objective against numbers computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from training.objective import Lists, Objective, infonce, loss, ranknet

# Two queries along the axes of a plane. In degrees from the first axis, their documents are at
# 0, 60 and 90, and at 90 and 0: cosines of 1, 0.5, 0 and of 1, 0 with their own queries.
QUERIES = torch.eye(2)
HALF = [0.5, math.sqrt(3) / 2]
NOWHERE = [0.0, 0.0]


def lists(grades: list[list[float]], places: list[list[int]] | None = None) -> Lists:
    documents = [[[1.0, 0.0], HALF, [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0], NOWHERE]]
    return Lists(
        torch.tensor(documents),
        torch.tensor(places or [[0, 1, 2], [3, 4, -1]]),
        torch.tensor(grades),
    )


ORDERED = [[3.0, 2.0, 1.0], [2.0, 1.0, 0.0]]


def logistic(difference: float) -> float:
    return math.log1p(math.exp(-difference))


def test_infonce_takes_the_best_document_against_all_of_the_batch() -> None:
    # Query 1: its own 1, 0.5, 0; the other's 0, 1. Query 2: its own 1, 0; the other's 0, 0.866, 1.
    exps = [math.exp(cosine / 0.5) for cosine in (1, 0.5, 0, 0, 1)]
    first = -math.log(exps[0] / sum(exps))
    exps = [math.exp(cosine / 0.5) for cosine in (1, 0, 0, math.sqrt(3) / 2, 1)]
    second = -math.log(exps[0] / sum(exps))

    assert infonce(QUERIES, lists(ORDERED), temperature=0.5).item() == pytest.approx(
        (first + second) / 2, rel=1e-5
    )


def test_ranknet_is_the_mean_over_the_pairs_of_each_query() -> None:
    # Query 1: 1 before 0.5 before 0. Query 2: 1 before 0. Four pairs in all.
    differences = [0.5, 1.0, 0.5, 1.0]
    expected = sum(logistic(10 * one) for one in differences) / 4

    assert ranknet(QUERIES, lists(ORDERED), scale=10).item() == pytest.approx(expected, rel=1e-5)


def test_a_pair_in_the_wrong_order_costs_its_distance() -> None:
    wrong = [[1.0, 3.0, 1.0], [1.0, 1.0, 0.0]]  # the second is best; the rest of both are ties

    expected = (logistic(10 * (0.5 - 1)) + logistic(10 * (0.5 - 0))) / 2
    assert ranknet(QUERIES, lists(wrong), scale=10).item() == pytest.approx(expected, rel=1e-5)


def test_the_sum_has_the_published_constants() -> None:
    found = loss(QUERIES, lists(ORDERED))

    assert Objective() == Objective(temperature=0.03, ranknet_weight=2.0, score_scale=10.0)
    assert found.infonce.item() == pytest.approx(infonce(QUERIES, lists(ORDERED)).item())
    assert found.ranknet.item() == pytest.approx(ranknet(QUERIES, lists(ORDERED)).item())
    assert found.total.item() == pytest.approx(found.infonce.item() + 2 * found.ranknet.item())


def test_no_document_is_a_negative_of_a_query_that_it_is_best_for() -> None:
    # The other list holds query 1's best document again, and query 1 has two that are best.
    tied = lists([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], places=[[0, 1, 2], [3, 0, -1]])

    exps = [math.exp(cosine / 0.5) for cosine in (1, 0, 0)]  # itself, its third, the other's best
    first = -math.log(exps[0] / sum(exps))
    exps = [math.exp(cosine / 0.5) for cosine in (1, 0, 0, math.sqrt(3) / 2, 1)]
    second = -math.log(exps[0] / sum(exps))
    assert infonce(QUERIES, tied, temperature=0.5).item() == pytest.approx(
        (first + second) / 2, rel=1e-5
    )


def test_what_pads_a_short_list_has_no_part() -> None:
    padded = lists(ORDERED)
    padded.documents[1, 2] = torch.tensor([0.0, 1.0])  # as near as the best, were it a document
    padded.grades[1, 2] = 9.0

    assert loss(QUERIES, padded).total.item() == pytest.approx(
        loss(QUERIES, lists(ORDERED)).total.item()
    )


def test_lists_without_an_order_give_no_gradient_of_order() -> None:
    queries = QUERIES.clone().requires_grad_()

    flat = ranknet(queries, lists([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    flat.backward()

    assert flat.item() == 0
    assert queries.grad is not None
    assert not queries.grad.any()
