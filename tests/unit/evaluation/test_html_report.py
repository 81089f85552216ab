"""The report as one page: nothing is asked of anybody, and a text is a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation.collections import Collection, Document
from evaluation.experiment import Outcome, Through, judge
from evaluation.html_report import html_report
from evaluation.losses import worst_losses
from evaluation.plots import plots
from evaluation.runs import ScoredDocument
from evaluation.session import Evaluation, EvaluationOptions
from evaluation.strategies import Variant, grid, parse_variants

HOSTILE = '</td><script>alert("text")</script><img src=x onerror=alert(1)> & "quoted" \'too\''
QUERIES = 6
# Attributes by which a page fetches something, whatever the element.
FETCHES = {
    "src", "href", "xlink:href", "srcset", "poster", "data", "action", "formaction", "background",
    "manifest", "ping", "cite",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self) -> Iterator[str]:
        for _, attributes in self.found:
            yield from (value or "" for value in attributes.values())


def order(*ids: str) -> list[ScoredDocument]:
    return [ScoredDocument(id_, -float(place)) for place, id_ in enumerate(ids)]


def outcome(variant: Variant, place: int) -> Outcome:
    """A strategy that loses the first queries and wins the others; timed."""
    orders = [order("bad", "good"), order("good", "bad")]
    run = {str(q): orders[(q > 1) if place else (q < 2)] for q in range(QUERIES)}
    timings = [{"total": 5.0 + place + query} for query in range(QUERIES)]
    return Outcome(variant, run, {"query": 1.0} if place else {}, timings_ms=timings)


def evaluated(text: str, strategies: str = "none,query,e2rank", name: str = "made") -> Evaluation:
    """Evaluation of a collection in which everything that can be said is ``text``."""
    collection = Collection(
        name,
        "test",
        {id_: Document(id_, {"title": text, "text": text}) for id_ in ("good", "bad")},
        {str(query): text for query in range(QUERIES)},
        {str(query): {"good": 2} for query in range(QUERIES)},
    )
    variants = grid(parse_variants(strategies), (20, 100), (5, 10))
    options = EvaluationOptions(variants, run=Path("a.trec"), through=Through.MEMORY)
    evaluation = Evaluation(collection, options, first_stage={"run": text})
    evaluation.model = {"name": text, "fingerprint": "0123"}
    outcomes = [outcome(variant, place) for place, variant in enumerate(variants)]
    evaluation.results = judge(collection, outcomes)
    evaluation.baseline, *rest = evaluation.results
    evaluation.losses = {
        one.outcome.variant.label: worst_losses(collection.qrels, evaluation.baseline, one)
        for one in rest[-1:]
    }
    evaluation.texts = dict.fromkeys(("good", "bad"), text)
    return evaluation


def page_of(evaluation: Evaluation) -> str:
    assert evaluation.baseline is not None
    drawn = plots(evaluation.baseline, evaluation.results)
    return html_report(evaluation, drawn, f"rankside eval {HOSTILE}")


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(evaluated(HOSTILE, name=HOSTILE))


def test_nothing_outside_the_page_is_asked_for(page: str) -> None:
    elements = Elements(page)
    fetched = [
        value or ""
        for _, attributes in elements.found
        for name, value in attributes.items()
        if name in FETCHES
    ]
    assert any(one.startswith("#") for one in fetched)  # the plots refer to their own parts
    assert [one for one in fetched if not one.startswith(("#", "data:"))] == []
    tags = {tag for tag, _ in elements.found}
    assert tags.isdisjoint(
        {"script", "iframe", "object", "embed", "base", "form", "audio", "video"}
    )
    assert [attributes for tag, attributes in elements.found if tag == "img"] == []
    assert "@import" not in page
    assert [one for one in re.findall(r"url\(([^)]*)", page) if not one.startswith("#")] == []
    # What slips through all the same is refused by the browser.
    policies = [a.get("content") for t, a in elements.found if "http-equiv" in a and t == "meta"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_a_script_in_a_text_is_text(page: str) -> None:
    elements = Elements(page)
    assert not any(name.startswith("on") for _, found in elements.found for name in found)
    # In the title, the heading, queries, documents, facts and the command: as it stands.
    text = "".join(elements.text)
    assert text.count('<script>alert("text")</script><img src=x onerror=alert(1)>') > 2 * QUERIES
    assert not any("alert" in value for value in elements.values())


def test_every_figure_of_a_strategy_is_there() -> None:
    evaluation = evaluated("bread", "none,e2rank")
    page = page_of(evaluation)
    for result in evaluation.results:
        for mean in result.scores.means.values():
            assert f"<td>{mean:.4f}</td>" in page
    assert '<td class="text">e2rank</td>\n<td>20</td><td>5</td>' in page
    for heading in ("Query by query", "What it costs", "The gain by window", "Worst losses"):
        assert f"{heading}</h" in page
    # Two queries of six lost; each is there, its documents with grade and place.
    assert page.count("<details>") == 2 + 1
    assert '<span class="tag up">grade 2</span> <span class="tag">now 2</span> <b>good</b>' in page


def test_without_searches_nothing_is_said_of_time() -> None:
    evaluation = evaluated("bread", "none,e2rank:prompt_hits=5,window=20")
    evaluation.results = [
        replace(one, outcome=replace(one.outcome, timings_ms=())) for one in evaluation.results
    ]
    page = page_of(evaluation)
    assert "ms p50" not in page
    assert "What it costs" not in page
    assert "The gain by" not in page  # one setting is no line


def test_the_first_stage_alone_has_a_report_too() -> None:
    evaluation = evaluated("bread", "none")
    page = page_of(replace(evaluation, losses={}))
    assert "Nothing was compared with the first stage." in page
    assert "<svg" not in page
