"""Free text: what becomes a query is no longer in its document."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.collections import load_collection
from plugin.ranking.errors import SettingsError
from training.recipe import FreeText, package_descriptions, summarised, write_recipe

CONTROL = """\
Package: kettle
Description-md5: 0123
Description-en: boils water for tea
 Kettle heats water until it boils.
 It whistles then.
 .
 It has a lid.

Package: bare
Description: nothing more is said

Package: pot
Description: holds tea that was made
 Pot keeps tea warm.
Homepage: https://example.org/
"""
FILLER = "the body goes on for a while with words that say little but make it long enough to count"


def sentences(name: str) -> str:
    """Five sentences, each of which could be a query."""
    return " ".join(
        f"The {name} of number {number} is told apart by its sign." for number in range(5)
    )


def test_descriptions_of_packages_are_read(tmp_path: Path) -> None:
    path = tmp_path / "Translation-en"
    path.write_text(CONTROL, "utf-8")

    kettle, pot = package_descriptions(path)

    assert (kettle.id, kettle.summary) == ("kettle", "boils water for tea")
    assert kettle.body == "Kettle heats water until it boils.\nIt whistles then.\n\nIt has a lid."
    assert (pot.id, pot.body) == ("pot", "Pot keeps tea warm.")


@pytest.mark.parametrize("text", ["Package: bare\nDescription: short\n", ""])
def test_a_file_without_descriptions_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "status"
    path.write_text(text, "utf-8")

    with pytest.raises(SettingsError, match="describes no package at length"):
        list(package_descriptions(path))


def test_a_docstring_begins_with_its_summary() -> None:
    assert summarised("f", "f()", "Do it.\n\nAnd more.") == FreeText(
        "f", "f()", "Do it.", "And more."
    )
    assert summarised("g", "g()", "Do it.") == FreeText("g", "g()", "", "Do it.")


def test_a_summary_or_a_sentence_becomes_the_query_and_leaves_the_document(tmp_path: Path) -> None:
    texts = [
        FreeText("short", "Short", "says what it is for", f"In short {FILLER}."),
        FreeText("long", "Long", "", sentences("thing")),
        FreeText("silent", "Silent", "", f"It says {FILLER}."),
    ]

    counts = write_recipe(tmp_path, texts, documents=10, queries=10, seed=1)

    assert (counts.documents, counts.queries) == (3, 2)
    asked = {}
    for split in ("train", "dev"):
        made = load_collection(tmp_path, split)
        for query, text in made.queries.items():
            (answer,) = made.qrels[query]
            asked[answer] = text
            assert text not in made.documents[answer].text
    assert asked["short"] == "says what it is for"
    assert asked["long"] in sentences("thing")


def test_texts_that_begin_alike_are_one(tmp_path: Path) -> None:
    texts = [
        FreeText(name, name, "what it is for", f"One source {FILLER}.\n\nPart {name}.")
        for name in ("lib", "lib-dev", "lib-doc")
    ] + [FreeText("other", "other", "what that is for", f"Another source {FILLER}.")]

    assert write_recipe(tmp_path, texts, documents=10, queries=10, seed=1).documents == 2


def test_the_seed_says_what_is_drawn(tmp_path: Path) -> None:
    texts = [FreeText(f"t{n}", "", "", sentences(f"thing{n}")) for n in range(12)]

    def drawn(folder: str, seed: int) -> str:
        write_recipe(tmp_path / folder, texts, documents=6, queries=4, seed=seed)
        return (tmp_path / folder / "queries.jsonl").read_text("utf-8")

    assert drawn("a", 1) == drawn("b", 1) != drawn("c", 2)
    assert len(drawn("d", 1).splitlines()) == 4


def test_nothing_long_enough_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no text is long enough"):
        write_recipe(tmp_path, [FreeText("a", "", "", "too short")], documents=5, queries=5, seed=1)
