"""The page of the Elasticsearch plugin names what its Java sources name, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
PAGE = (REFERENCE / "elasticsearch-plugin.md").read_text("utf-8")
INGEST = (REFERENCE / "elasticsearch-ingest.md").read_text("utf-8")
JAVA = ROOT / "plugin/elasticsearch/src/main/java/org/rankside/elasticsearch"
SHARED = ROOT / "plugin/client/src/main/java/org/rankside"


def cells(title: str, page: str = PAGE) -> list[str]:
    """The names in backticks of the first cell of each row of a section's table."""
    rest = f"\n{page}"[f"\n{page}".index(f"\n{title}\n") + len(title) + 2 :]
    section = re.split(r"^#{2,3} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\|([^|]*)\|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def named(pattern: str, *files: Path) -> set[str]:
    """What the pattern's group matches in the sources, which must be something."""
    found = {name for file in files for name in re.findall(pattern, file.read_text("utf-8"))}
    assert found, f"nothing in the sources is like {pattern}"
    return found


def retriever() -> set[str]:
    source = (JAVA / "search" / "RerankRetrieverBuilder.java").read_text("utf-8")
    listed = source[source.index("PARAMETERS") : source.index(");", source.index("PARAMETERS"))]
    return {*re.findall(r'"(\w+)"', listed), "retriever"}


TABLES: dict[str, set[str]] = {
    "## Retriever `rankside`": retriever(),
    "### What the response says": named(r'"(X-Rankside-\w+)"', JAVA / "search/StatusHeaders.java"),
    "## Query `rankside_vector`": {"field", "vector", "hash_field", "fingerprint"},
    "## Node settings": named(
        r'"(rankside\.[a-z_.]+)"', JAVA / "node/NodeSettings.java", SHARED / "client/TlsFiles.java"
    ),
}


@pytest.mark.parametrize(("title", "names"), TABLES.items(), ids=TABLES)
def test_a_table_has_each_name_once_and_no_other(title: str, names: set[str]) -> None:
    assert sorted(cells(title)) == sorted(names)


def test_the_page_of_the_ingest_processor_has_each_of_its_parameters() -> None:
    taken = r'config\.(?:text|texts|number|time|truth|object)\("(\w+)"'
    names = named(taken, SHARED / "ingest" / "EmbeddingParameters.java")
    assert sorted(cells("# Ingest processor of Elasticsearch", INGEST)) == sorted(names)
