"""The judged queries: enough of them, well formed, and about documents that exist."""

from __future__ import annotations

import sys

import pytest

from rankside.demo.corpus import standard_library_documents
from rankside.demo.judgments import JudgedQuery, judged_queries


@pytest.fixture(scope="module")
def known() -> set[str]:
    return {document.id for document in standard_library_documents()}


@pytest.fixture(scope="module")
def queries() -> list[JudgedQuery]:
    return judged_queries()


def test_there_are_as_many_as_the_reference_page_says(queries: list[JudgedQuery]) -> None:
    grades = [grade for query in queries for grade in query.grades.values()]

    assert len(queries) == 120
    assert (grades.count(2), grades.count(1)) == (228, 377)
    assert set(grades) == {1, 2}


def test_ids_and_texts_are_given_once(queries: list[JudgedQuery]) -> None:
    assert len({query.id for query in queries}) == len(queries)
    assert len({query.text.casefold() for query in queries}) == len(queries)
    assert all(query.text == query.text.strip() != "" for query in queries)


@pytest.mark.skipif(sys.platform != "linux", reason="some names are Linux's alone (os.getrandom)")
def test_every_judged_name_is_a_document(queries: list[JudgedQuery], known: set[str]) -> None:
    missing = {id_ for query in queries for id_ in query.grades} - known

    assert missing <= {"asyncio.Timeout"}  # the first releases of 3.11 gave it no docstring


def test_every_query_has_an_answer_here(queries: list[JudgedQuery], known: set[str]) -> None:
    unanswered = [
        query.text
        for query in queries
        if not any(grade == 2 and id_ in known for id_, grade in query.grades.items())
    ]

    assert unanswered == []
