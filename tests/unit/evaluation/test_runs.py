from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.runs import ScoredDocument, read_run, write_run
from plugin.ranking.errors import SettingsError

IDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
SCORES = st.floats(-1e300, 1e300)
RESULTS = st.dictionaries(IDS, SCORES, min_size=1, max_size=8)


@given(results=st.dictionaries(IDS, RESULTS, min_size=1, max_size=4))
def test_a_run_comes_back_in_its_order(
    results: dict[str, dict[str, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("runs") / "some.trec"
    run = {
        query: [ScoredDocument(id_, score) for id_, score in found.items()]
        for query, found in results.items()
    }
    write_run(path, run, "a tag")
    read = read_run(path)
    assert {query: [one.id for one in found] for query, found in read.items()} == {
        query: list(found) for query, found in results.items()
    }


def test_scores_that_fall_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "some.trec"
    write_run(path, {"q": [ScoredDocument("a", 2.5), ScoredDocument("b", 1.25)]}, "a tag")
    assert path.read_text() == "q Q0 a 1 2.5 a_tag\nq Q0 b 2 1.25 a_tag\n"


def test_ties_are_written_so_that_no_reader_reorders_them(tmp_path: Path) -> None:
    path = tmp_path / "some.trec"
    write_run(path, {"q": [ScoredDocument("b", 1.0), ScoredDocument("a", 1.0)]}, "t")
    first, second = (float(line.split()[4]) for line in path.read_text().splitlines())
    assert first > second


def test_lines_are_ordered_by_score_and_ties_by_rank(tmp_path: Path) -> None:
    path = tmp_path / "some.trec"
    path.write_text("q Q0 low 1 1.0 t\nq Q0 tied2 3 2.0 t\n\nq Q0 tied1 2 2.0 t\n")
    assert [one.id for one in read_run(path)["q"]] == ["tied1", "tied2", "low"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q Q0 d 1\n", "line 1: expected `query Q0"),
        ("q Q0 d 1 high t\n", "line 1: expected `query Q0"),
        ("q Q0 d 1 1.0 t\nq Q0 e 2 nan t\n", "line 2: score nan is not a finite number"),
        ("q Q0 d 1 1.0 t\nq Q0 d 2 0.5 t\n", "query 'q' returns document 'd' twice"),
        ("", "is empty"),
    ],
)
def test_a_wrong_run_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "some.trec"
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        read_run(path)


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_run(tmp_path / "none.trec")
