from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.preference_report import Preference, log_json, queries_table
from evaluation.preferences import Log, read_log
from evaluation.significance import bootstrap_ratio
from plugin.ranking.errors import SettingsError

PAIR = ["none", "e2rank"]


def search(query: str, teams: str, clicks: str) -> dict[str, Any]:
    """An interleaved search: a letter a hit, `n` none's, `e` e2rank's, `.` nobody's."""
    names = {"n": "none", "e": "e2rank", ".": None}
    shown = [{"id": str(place), "team": names[team]} for place, team in enumerate(teams)]
    return {"query_id": query, "strategies": PAIR, "shown": shown, "clicks": list(clicks)}


def vote(query: str, preferred: str | None) -> dict[str, Any]:
    return {"query_id": query, "strategies": PAIR, "preferred": preferred}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def reading(*rows: dict[str, Any] | str | bytes) -> Log:
        path = tmp_path / "log.jsonl"
        lines = [row if isinstance(row, str | bytes) else json.dumps(row) for row in rows]
        path.write_bytes(
            b"".join(one if isinstance(one, bytes) else f"{one}\n".encode() for one in lines)
        )
        return read_log([path])

    return reading


def test_the_team_with_more_clicked_hits_wins(read: Any) -> None:
    log = read(
        search("q1", "enne", "0"),  # the challenger's first
        search("q1", "neen", "1300"),  # two of the baseline's, one of them twice, against one
        search("q1", "enne", "01"),  # one each
        search("q1", "enne", ""),  # none
        search("q1", "e.n", "1"),  # nobody's
    )
    (duel,) = log.duels
    tally = duel.queries["q1"]
    assert (duel.pair, log.faults) == (("none", "e2rank"), ())
    assert (tally.wins, tally.losses, tally.ties) == (1, 1, 3)
    assert duel.first_places == {"e2rank": 4, "none": 1}


def test_a_pair_named_the_other_way_round_is_the_same_duel(read: Any) -> None:
    turned = {"query_id": 7, "strategies": PAIR[::-1], "preferred": "e2rank"}
    log = read(vote("7", "e2rank"), turned, vote("7", "none"), vote("7", None))
    (duel,) = log.duels
    assert duel.pair == ("none", "e2rank")
    assert duel.queries["7"].wins == 2
    assert duel.queries["7"].votes == 4


def test_several_pairs_are_several_duels(read: Any) -> None:
    other = {"query_id": "q", "strategies": ["none", "cascade"], "preferred": "cascade"}
    assert [duel.pair for duel in read(vote("q", None), other).duels] == [
        ("none", "e2rank"),
        ("none", "cascade"),
    ]


def test_share_and_sign_test_are_those_of_a_hand(read: Any) -> None:
    rows = [vote(f"w{n}", "e2rank") for n in range(8)]
    rows += [vote("l", "none"), vote("t", None), vote("w0", "e2rank"), vote("w0", "none")]
    found = Preference(read(*rows).duels[0])
    # 9 wins, 2 losses, 1 tie of 12 votes; 8 queries won, one lost, one tied.
    assert found.share == pytest.approx((9 + 0.5) / 12)
    assert (found.won, found.lost) == (8, 1)
    assert found.p_value == pytest.approx(2 * (1 + 9) / 2**9)
    assert found.interval is not None
    low, high = found.interval
    assert 0.4 < low < found.share < high <= 1
    assert "e2rank is preferred to none" in found.verdict


def test_queries_are_resampled_not_votes() -> None:
    """A thousand votes for one query are one opinion."""
    few = np.array([1000.0, *[0.0] * 9]), np.array([1000.0, *[1.0] * 9])
    low, high = bootstrap_ratio(*few)
    assert low < 0.01
    assert high > 0.99
    many = np.array([1.0, 0.0] * 500), np.ones(1000)
    low, high = bootstrap_ratio(*many)
    assert 0.45 < low < 0.5 < high < 0.55


def test_of_few_queries_no_interval_is_told_and_nothing_decided_is_luck(read: Any) -> None:
    found = Preference(read(*[vote(f"q{n}", None) for n in range(9)]).duels[0])
    assert (found.interval, found.decided_interval, found.p_value) == (None, None, 1.0)
    assert "No preference" in found.verdict


def test_a_draft_that_favours_a_team_is_told(read: Any) -> None:
    rows = [search(f"q{n}", "en", "0") for n in range(30)]
    found = Preference(read(*rows).duels[0])
    assert not found.fair
    assert "not fair" in found.verdict
    even = [search(f"q{n}", "en" if n % 2 else "ne", "0" if n % 2 else "1") for n in range(30)]
    assert Preference(read(*even).duels[0]).fair
    assert Preference(read(vote("q", "none")).duels[0]).fair  # nothing was drafted


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        (b"\xff\n", "is not UTF-8"),
        ({**vote("q", None), "query_id": ""}, "'query_id' must be text"),
        ({**vote("q", None), "strategies": ["none"]}, "'strategies' must be two names"),
        ({**vote("q", None), "strategies": ["none", "none"]}, "'strategies' must be two names"),
        (vote("q", "cascade"), "'preferred' must be 'none', 'e2rank' or null"),
        ({"query_id": "q", "strategies": PAIR}, "give either 'shown' and 'clicks', or 'preferred'"),
        ({**search("q", "en", ""), "preferred": None}, "give either"),
        ({**search("q", "en", ""), "shown": []}, "'shown' must be the hits"),
        ({**search("q", "en", ""), "clicks": None}, "'clicks' must be a list"),
        ({**search("q", "en", ""), "shown": [{"id": "0", "team": "x"}]}, "a hit of 'shown' must"),
        ({**search("q", "en", ""), "shown": [{"id": "0", "team": None}] * 2}, "shown twice"),
        (search("q", "en", "5"), "clicked hit '5' is not among those shown"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_count(
    read: Any, wrong: dict[str, Any] | str | bytes, message: str
) -> None:
    log = read(vote("a", "e2rank"), wrong, vote("b", "none"))
    assert log.lines == 3
    (fault,) = log.faults
    assert "log.jsonl, line 2" in fault
    assert message in fault
    assert log_json(log)["results"][0]["votes"]["wins"] == 1
    assert log_json(log)["results"][0]["votes"]["losses"] == 1


def test_a_log_without_a_vote_is_refused(read: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no vote .*line 1 is not JSON"):
        read("nonsense")
    with pytest.raises(SettingsError, match="there is no line"):
        read("")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_log([tmp_path / "none.jsonl"])


def test_every_query_can_be_had_and_the_clearest_are_shown(read: Any) -> None:
    rows = [vote(f"w{n}", "e2rank") for n in range(3)] + [vote("l", "none")] * 4
    rows += [{**vote("w0", "e2rank"), "query": "winter [bold]tyres"}]
    log = read(*rows)
    document = log_json(log, per_query=True)["results"][0]
    assert document["per_query"]["l"] == {"wins": 0, "losses": 4, "ties": 0}
    assert "per_query" not in log_json(log)["results"][0]
    shown = list(queries_table(Preference(log.duels[0]), 1).columns[0].cells)
    assert shown == ["winter \\[bold]tyres", "l"]  # escaped: it is no markup
