from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from evaluation.collections import Collection
from evaluation.experiment import Outcome, Result, judge
from evaluation.plots import INK, _pareto, _short, plots
from evaluation.runs import ScoredDocument
from evaluation.strategies import grid, parse_variants
from plugin.ranking.errors import SettingsError

QUERIES = 8
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"


def results(*, timed: bool = True) -> list[Result]:
    """`none` and a grid that is better the larger it is, over made-up orders."""
    variants = grid(parse_variants("none,query,e2rank"), (20, 100), (5, 10))
    outcomes = []
    for place, variant in enumerate(variants):
        good = [("b", "a"), ("a", "b")]
        run = {
            str(query): [ScoredDocument(id_, -n) for n, id_ in enumerate(good[query < place])]
            for query in range(QUERIES)
        }
        timings = [{"total": 10.0 + place + query} for query in range(QUERIES)] if timed else []
        outcomes.append(Outcome(variant, run, {}, timings_ms=timings))
    qrels = {str(query): {"a": 1} for query in range(QUERIES)}
    return judge(Collection("made", "test", {}, {}, qrels), outcomes)


def names(found: Sequence[Result]) -> list[str]:
    return [plot.name for plot in plots(found[0], found)]


def test_what_was_measured_is_drawn_and_nothing_else() -> None:
    found = results()
    assert names(found) == ["deltas", "latency", "window", "prompt-hits"]
    assert names(results(timed=False)) == ["deltas", "window", "prompt-hits"]
    assert names(found[:2]) == ["deltas", "latency"]
    assert names(found[:1]) == []


def test_a_line_has_a_point_for_every_size_and_its_interval() -> None:
    found = results()
    (window,) = (plot for plot in plots(found[0], found) if plot.name == "window")
    lines = [line for line in window.figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in lines] == [2, 2, 2]  # query, e2rank at 5, and at 10
    said = [text.get_text() for text in window.figure.legends[0].get_texts()]
    assert said == ["query", "e2rank, prompt hits 5", "e2rank, prompt hits 10"]
    gains = {one.outcome.variant.label: one.versus_none for one in found}
    large = gains["query:window=100"]
    assert large is not None
    assert lines[0].get_ydata()[1] == pytest.approx(large.difference)


def test_a_long_label_is_broken_where_a_setting_ends() -> None:
    label = "e2rank:listwise=1,query=0.5,first_stage=0.05,window=100,prompt_hits=20"
    lines = _short(label).split("\n")
    assert [len(line) < 50 for line in lines] == [True, True]
    assert "".join(lines) == label
    assert _short("e2rank:window=20") == "e2rank:window=20"


def test_what_another_beats_in_both_is_not_on_the_edge() -> None:
    points = [(3.0, 0.5), (1.0, 0.2), (2.0, 0.2), (4.0, 0.4), (1.0, 0.1), (5.0, 0.6)]
    assert _pareto(points) == [(1.0, 0.2), (3.0, 0.5), (5.0, 0.6)]


def test_plots_of_one_page_share_no_ids_and_take_the_pages_colour() -> None:
    found = results()
    seen: set[str] = set()
    for plot in plots(found[0], found):
        svg = plot.svg()
        root = ET.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        assert INK not in svg
        assert "currentColor" in svg
        # Parts that are referred to; the groups' ids ("axes_1") are nobody's target.
        referred = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
        assert referred
        assert seen.isdisjoint(referred)
        seen |= referred
        texts = [element.text for element in root.iter(f"{SVG}text")]
        assert any("nDCG@10" in (text or "") for text in texts)


def test_plots_are_written_as_svg_and_png(tmp_path: Path) -> None:
    found = results()
    for plot in plots(found[0], found):
        svg, png = plot.write(tmp_path, "made")
        assert (svg.name, png.name) == (f"made.{plot.name}.svg", f"made.{plot.name}.png")
        assert png.read_bytes().startswith(PNG)
        assert ET.parse(svg).getroot().tag == f"{SVG}svg"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    found = results()
    with pytest.raises(SettingsError, match="plots cannot be written"):
        plots(found[0], found)[0].write(tmp_path / "nowhere", "made")
