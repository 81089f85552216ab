"""The page of the OpenSearch plugin names what its Java sources name, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "opensearch-plugin.md").read_text("utf-8")
JAVA = ROOT / "plugin" / "opensearch" / "src" / "main" / "java" / "org" / "rankside" / "opensearch"
SHARED = ROOT / "plugin" / "client" / "src" / "main" / "java" / "org" / "rankside"


def java(*places: str) -> str:
    """The sources at ``places``, files or folders of the plugin or of what it shares."""
    found = [root / place for place in places for root in (JAVA, SHARED)]
    files = [
        file
        for place in found
        for file in ([place] if place.is_file() else sorted(place.glob("*.java")))
    ]
    return "\n".join(file.read_text("utf-8") for file in files)


def section(title: str) -> str:
    """The page from this heading to the next one of its kind."""
    marks = title.partition(" ")[0]
    rest = PAGE[PAGE.index(f"\n{title}\n") + len(title) + 2 :]
    end = re.search(rf"^#{{2,{len(marks)}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def first_cells(text: str) -> list[str]:
    """The names in backticks of the first cell of each row."""
    cells = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def found(pattern: str, text: str) -> set[str]:
    """What the pattern's group matches, which must be something."""
    names = set(re.findall(pattern, text))
    assert names, f"nothing in the sources is like {pattern}"
    return names


def search_parameters() -> set[str]:
    return found(r'values\.\w+\(\s*"(\w+)"', java("search/Parameters.java"))


def ingest_parameters() -> set[str]:
    sources = java("ingest/EmbeddingParameters.java", "ingest/EmbeddingFactory.java")
    taken = r'(?:config|read)\.(?:text|texts|number|time|truth|object)\(\s*"(\w+)"'
    return found(taken, sources)


def node_settings() -> set[str]:
    named = found(r'"(rankside\.[a-z_.]+)"', java("node/NodeSettings.java", "client/TlsFiles.java"))
    return {f"{name}NAME.key" if name.endswith(".") else name for name in named}


def query_parameters() -> set[str]:
    return found(r'new ParseField\("(\w+)"\)', java("vector/VectorQueryBuilder.java"))


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("## Search processor `rankside`", search_parameters()),
        ("## Ingest processor `rankside_embedding`", ingest_parameters()),
        ("## Node settings", node_settings()),
        ("## Query `rankside_vector`", query_parameters()),
    ],
)
def test_a_table_has_each_name_once_and_no_other(title: str, named: set[str]) -> None:
    table = section(title).split("\n### ")[0]
    assert sorted(first_cells(table)) == sorted(named)


def test_what_a_response_says_is_on_the_page() -> None:
    said = section("### What the response says")
    report = found(r'report\.put\("(\w+)"', java("search/Rerank.java"))
    stages = found(r'timings(?:\(\))?\.(?:of|add)\(\s*"(\w+)"', java("search")) | {"total"}
    assert sorted(first_cells(said)) == sorted(report | stages)
    explained = found(r'stood\.put\("(\w+)"', java("search/Responses.java"))
    assert [name for name in explained if name not in said] == []


def test_every_reason_is_on_the_page_and_no_other() -> None:
    sources = java("search")
    thrown = found(r'new PassThrough\(\s*"(\w+)', sources)
    counted = found(r'counts\.put\(\s*"(\w+)"', sources) | found(r'add\("(\w+):"', sources)
    enum = (SHARED / "client" / "Reason.java").read_text("utf-8")
    asking = {name.lower() for name in found(r"(?m)^    ([A-Z_]+)[,;]$", enum)}
    rows = first_cells(section("### Reasons"))
    assert sorted(row.split(":")[0] for row in rows) == sorted(thrown | counted | asking)


def test_every_field_of_the_stats_is_on_the_page() -> None:
    shown = section("## `GET /_plugins/_rankside/stats`")
    sources = java("client/StatsJson.java", "stats/StatsResponse.java")
    fields = found(r'"(\w+)"', sources)
    assert {"in_flight", "calls", "reranked"} < fields
    assert [name for name in fields if name not in shown] == []
    paths = found(r'"(/_plugins/\S+)"', java("stats/RestStatsAction.java"))
    assert [path for path in paths if path.replace("{nodeId}", "NODES") not in PAGE] == []
