"""Reading permutations: the cases of the design page, and what no answer may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.ranking.permutation import Outcome, parse


@pytest.mark.parametrize(
    ("answer", "order"),
    [
        ("[3] > [1] > [2]", (2, 0, 1)),
        ("Here are 3 passages: [2] > [1] > [3]", (1, 0, 2)),
        ("[2] (BM25 12.5) > [1] (BM25 9.1) > [3]", (1, 0, 2)),
        ("<think>[3] > [2] > [1]</think>\n[1] > [3] > [2]", (0, 2, 1)),
        ("so [3] it is</think>[1] > [3] > [2]", (0, 2, 1)),
        ("2 > 3 > 1", (1, 2, 0)),
        ("The order is 2>3>1.", (1, 2, 0)),
        ("[ 2 ]\n[3]\n[1]", (1, 2, 0)),
        ("[2], [3], [1]", (1, 2, 0)),
        ("[2] (BM25 12.5) > [3] > [1]", (1, 2, 0)),
        ("[2, 3, 1]", (1, 2, 0)),
        ('{"order": [2,3,1]}', (1, 2, 0)),
        ("\uff3b2\uff3d\uff1e\uff3b3\uff3d\u227b\u30101\u3011", (1, 2, 0)),
        ("[\u0662] > [\u0663] > [\u0661]", (1, 2, 0)),
        ("<thinking>[3]</thinking>[2]>[3]>[1]", (1, 2, 0)),
        ("<think><think>[3]</think>[1]</think>[2]>[3]>[1]", (1, 2, 0)),
        ("[2] > [3] > [1] <think>[1] > [2]</think>", (1, 2, 0)),
    ],
)
def test_a_complete_answer_is_read_as_stated(answer: str, order: tuple[int, ...]) -> None:
    permutation = parse(answer, 3)

    assert permutation.order == order
    assert permutation.outcome is Outcome.CLEAN


@pytest.mark.parametrize(
    ("answer", "order", "missing", "repeated", "out_of_range"),
    [
        ("[2] > [2] > [1] > [3]", (1, 0, 2), 0, 1, 0),
        ("[3] > [9] > [1] > [2]", (2, 0, 1), 0, 0, 1),
        ("[3] > [0] > [1] > [2]", (2, 0, 1), 0, 0, 1),
        ("[3]", (2, 0, 1), 2, 0, 0),
        ("[99999999999999999999999] > [2]", (1, 0, 2), 2, 0, 1),
        ("[1] is off, [3] is not. [3] > [2] > [1]", (2, 1, 0), 0, 2, 0),
        ("[1] has x > y, so: [3] > [2] > [1]", (2, 1, 0), 0, 1, 0),
        ("[1] is off. [3] >", (2, 0, 1), 1, 0, 0),
    ],
)
def test_an_incomplete_answer_is_repaired_and_counted(
    answer: str, order: tuple[int, ...], missing: int, repeated: int, out_of_range: int
) -> None:
    permutation = parse(answer, 3)

    assert permutation.order == order
    assert permutation.outcome is Outcome.REPAIRED
    assert (permutation.missing, permutation.repeated, permutation.out_of_range) == (
        missing,
        repeated,
        out_of_range,
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot rank these.",
        "BM25 12.5",
        "12.5 > 3.1",
        "<think>[1] > [2] > [3]",
        "[7] > [8]",
        "There are 3 passages.",
    ],
)
def test_an_answer_without_numbers_of_passages_keeps_the_first_stage_order(answer: str) -> None:
    permutation = parse(answer, 3)

    assert permutation.order == (0, 1, 2)
    assert permutation.outcome is Outcome.UNUSABLE


@pytest.mark.parametrize(
    ("answer", "cut", "stated"),
    [
        ("[3] > [1", False, (2,)),
        ("[3] > [1] >", False, (2, 0)),
        ("[3] > [1] > [", False, (2, 0)),
        ("[3] > [1]", True, (2, 0)),
        ("[3, 1", False, (2, 0)),
        ("[3, 1", True, (2,)),
        ("3 > 2 > 1", True, (2, 1)),
        ("3 > 2 > 1 ", True, (2, 1, 0)),
        ("[3] > [1] <think>[2]", False, (2, 0)),
    ],
)
def test_a_truncated_answer_counts_for_what_it_states(
    answer: str, cut: bool, stated: tuple[int, ...]
) -> None:
    permutation = parse(answer, 12, cut=cut)

    assert permutation.stated == stated
    assert permutation.truncated is (cut or answer != "[3, 1")


@pytest.mark.parametrize("answer", ["[2] > [3] > [1]", "<answer>[2] > [3]</answer>", "", "[2], ok"])
def test_a_complete_answer_is_not_truncated(answer: str) -> None:
    assert not parse(answer, 3).truncated


@pytest.mark.parametrize(
    "piece",
    [
        "<think>",
        "[",
        "[ ",
        "[" + " " * 99,
        "1>",
        "1 > ",
        "[1,",
        "[1] >",
        ">" + " " * 99,
        "1",
        "a.1",
    ],
)
def test_no_answer_is_read_in_more_than_linear_time(piece: str) -> None:
    parse(piece * (1_000_000 // len(piece)), 20)  # hours, were it quadratic


@given(st.text(), st.integers(0, 40))
def test_whatever_the_answer_every_passage_comes_back_once(answer: str, count: int) -> None:
    assert sorted(parse(answer, count).order) == list(range(count))


@given(st.lists(st.integers(-3, 50), max_size=60), st.integers(1, 40))
def test_stated_numbers_lead_in_the_order_of_their_first_mention(
    numbers: list[int], count: int
) -> None:
    answer = " > ".join(f"[{number}]" for number in numbers)

    stated = list(dict.fromkeys(n - 1 for n in numbers if 1 <= n <= count))

    assert list(parse(answer, count).order[: len(stated)]) == stated


@given(st.permutations(range(12)))
def test_a_written_permutation_reads_back_clean(order: list[int]) -> None:
    permutation = parse(" > ".join(f"[{place + 1}]" for place in order), 12)

    assert list(permutation.order) == order
    assert permutation.outcome is Outcome.CLEAN
