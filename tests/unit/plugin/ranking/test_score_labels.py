"""What is written beside a passage."""

from __future__ import annotations

import pytest

from plugin.ranking.hits import Hit
from plugin.ranking.score_labels import ScoreMode, score_labels, shown_mode


def hits(*scores: float) -> list[Hit]:
    return [Hit(f"d{place}", score) for place, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        (ScoreMode.RAW, ["12.50", "7.50", "2.50"]),
        (ScoreMode.MINMAX, ["100", "50", "0"]),
        (ScoreMode.ZSCORE, ["+1.22", "+0.00", "-1.22"]),
        (ScoreMode.RANK, ["rank 1", "rank 2", "rank 3"]),
        (ScoreMode.OFF, ["", "", ""]),
    ],
)
def test_modes(mode: ScoreMode, labels: list[str]) -> None:
    assert score_labels(hits(12.5, 7.5, 2.5), mode, 100) == labels


def test_small_scores_keep_apart() -> None:
    assert score_labels(hits(0.0164, 0.0161), ScoreMode.RAW, 100) == ["0.0164", "0.0161"]
    assert score_labels(hits(3, 2, 1), ScoreMode.MINMAX, 1) == ["1.00", "0.50", "0.00"]


def test_a_rank_is_by_score_whatever_order_the_hits_come_in() -> None:
    labels = score_labels(hits(1, 3, 2, 3), ScoreMode.RANK, 100)

    assert labels == ["rank 4", "rank 1", "rank 3", "rank 2"]


@pytest.mark.parametrize("mode", list(ScoreMode))
@pytest.mark.parametrize("scores", [(), (1.0,), (2.0, 2.0), (3e38, -3e38), (0.0, -0.0)])
def test_odd_scores_are_no_division_by_zero(mode: ScoreMode, scores: tuple[float, ...]) -> None:
    labels = score_labels(hits(*scores), mode, 100)

    assert len(labels) == len(scores)
    assert not any("nan" in label or "inf" in label for label in labels)


def test_scores_that_are_all_the_same_are_not_shown() -> None:
    assert shown_mode(hits(2, 2, 2), ScoreMode.RAW) is ScoreMode.OFF
    assert shown_mode(hits(2), ScoreMode.RANK) is ScoreMode.OFF
    assert shown_mode(hits(2, 1), ScoreMode.RANK) is ScoreMode.RANK
