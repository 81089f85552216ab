"""`rankside search` and the Python client, over the same indices."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.engine import EngineKind
from plugin.ranking.errors import EngineUnavailable, SettingsError, UsageError
from rankside.cli import root
from rankside.cli.console import out
from rankside.client import AsyncRankside, Hit, Method, Rankside, SearchOptions, Status
from tests.integration.connectors.conftest import Stored
from tests.nearly import nearly

TEXT = "why does cold water damage pipes"
NOBODY = "http://127.0.0.1:1"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stored: Stored,
    engine_url: str,
    sidecar_url: str,
) -> Run:
    """Runs `rankside search`: exit code, standard output and standard error."""
    monkeypatch.setenv("RANKSIDE_ENGINE__URL", engine_url)
    monkeypatch.setenv("RANKSIDE_CLIENT__URL", sidecar_url)
    monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")
    monkeypatch.setattr(out, "width", 160)

    def call(*arguments: str) -> tuple[int, str, str]:
        words = ["rankside", "search", "--index", stored.name, *arguments]
        monkeypatch.setattr(sys, "argv", words)
        code = 0
        try:
            root.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_table_shows_both_places_and_scores(run: Run) -> None:
    code, shown, _ = run(TEXT, "--size", "5")
    assert code == 0
    lines = shown.splitlines()
    assert lines[0].split() == ["after", "before", "score", "first", "stage", "id", "hit"]
    assert [line.split()[0] for line in lines[1:6]] == ["1", "2", "3", "4", "5"]
    assert "▲" in shown or "▼" in shown
    assert "On a" in lines[1]
    assert lines[6].startswith("partial: not_embedded:2")
    assert "e2rank by rescore · all-minilm-l6-v2 (" in lines[7]
    assert all(stage in lines[7] for stage in ("window", "sidecar", "rescore", "total"))


def test_a_score_is_taken_apart(run: Run) -> None:
    code, shown, _ = run(TEXT, "--size", "3", "--from", "2", "--explain")
    assert code == 0
    header, first, *_ = shown.splitlines()
    assert "cosine" in header
    after, before, *rest = first.replace("=", "▲0").split()
    assert after == "3"
    assert before.isdigit()
    _, score, _, cosine, weighted, *_ = rest
    assert -1 <= float(cosine) <= 1
    assert 0 <= float(weighted) < float(score)


def test_json_says_everything(run: Run, stored: Stored) -> None:
    code, shown, _ = run(TEXT, "--json", "--size", "3", "--window", "20", "--exact-window")
    said = json.loads(shown)
    assert code == 0
    assert said["method"] == "rescore"
    assert said["model"] == stored.meta.model
    assert set(said["timings_ms"]) == {"window", "sidecar", "rescore", "total"}
    assert len(said["response"]["hits"]["hits"]) == 3
    assert len(said["first_stage"]) == 20
    assert said["first_stage"][0].keys() == {"index", "id", "rank", "score"}
    assert stored.meta.vector_field not in said["response"]["hits"]["hits"][0]["_source"]


def test_a_body_of_ones_own(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    body = {
        "query": {"bool": {"must": {"match": {"text": TEXT}}, "filter": {"term": {"number": 3}}}},
        "aggs": {"places": {"terms": {"field": "place"}}},
    }
    file.write_text(json.dumps(body))
    code, shown, _ = run("--query-body", str(file), "--json")
    assert code == 0
    said = json.loads(shown)
    assert [hit["_id"] for hit in said["response"]["hits"]["hits"]] == ["3"]
    assert said["response"]["aggregations"]["places"]["buckets"]


def test_first_stage_only(run: Run) -> None:
    code, shown, _ = run(TEXT, "--strategy", "none")
    assert code == 0
    assert "passed_through: strategy_none" in shown


def test_no_hits(run: Run) -> None:
    code, shown, _ = run("zeppelin")
    assert code == 0
    assert shown.startswith("no hits\npassed_through: no_hits")


def test_a_sidecar_that_is_down_is_told_of_once(run: Run) -> None:
    code, shown, said = run(TEXT, "--sidecar", NOBODY)
    assert code == 0
    assert f"passed_through: sidecar_unavailable: the sidecar at {NOBODY} cannot be" in shown
    assert "rankside serve" in shown
    assert said == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((TEXT, "--sidecar", NOBODY, "--on-failure", "fail"), 4, "rankside serve"),
        ((TEXT, "--url", NOBODY), 3, "RANKSIDE_ENGINE__URL"),
        ((TEXT, "--index", "test-connectors-none"), 3, "no such index"),
        ((), 2, "nothing to search for"),
        (("--query-body", "nowhere.json"), 2, "nowhere.json"),
        ((TEXT, "--deadline", "0"), 2, "deadline"),
        ((TEXT, "--url", "ftp://x"), 2, "engine.url"),
    ],
)
def test_exit_codes(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    ended, _, said = run(*arguments)
    assert ended == code
    assert message in said


def test_a_body_that_is_no_object(run: Run, tmp_path: Path) -> None:
    for content in ("[1]", "{"):
        file = tmp_path / "body.json"
        file.write_text(content)
        code, _, said = run("--query-body", str(file))
        assert (code, "--query-body" in said) == (2, True)


def test_fields_named_by_hand(run: Run) -> None:
    code, shown, _ = run(TEXT, "--text-fields", "text, title", "--vector-field", "none", "--json")
    assert code == 0
    assert json.loads(shown)["reason"] == "no_vectors"


@pytest.fixture
def addresses(engine_url: str, sidecar_url: str) -> dict[str, Any]:
    return {"engine": engine_url, "sidecar": sidecar_url}


def test_the_client_searches_for_a_text_and_for_a_body(
    addresses: dict[str, Any], stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")
    with Rankside(**addresses) as rankside:
        by_text = rankside.search(stored.name, TEXT, SearchOptions(window=30))
        fields = ["title", "text"]
        body = {"query": {"multi_match": {"query": TEXT, "fields": fields}}}
        by_body = rankside.search(stored.name, body, SearchOptions(window=30))
        paged = rankside.search(stored.name, body, params={"size": 1})
        by_title = rankside.search(stored.name, "kettle", SearchOptions(text_fields=("title",)))
    assert by_text.method is by_body.method is Method.RESCORE
    assert by_text.body["hits"] == nearly(by_body.body["hits"])
    assert len(paged.body["hits"]["hits"]) == 1
    assert {hit["_source"]["title"] for hit in by_title.body["hits"]["hits"]} == {"On a kettle"}


def test_the_client_ranks_and_embeds(
    addresses: dict[str, Any], stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")
    hits = [Hit("a", 2.0, "a glacier is ice"), Hit("b", 1.0, "frozen water bursts pipes")]
    with Rankside(**addresses) as rankside:
        answer = rankside.rank(TEXT, hits)
        assert sorted(item.id for item in answer.results) == ["a", "b"]
        assert answer.status is Status.RERANKED
        assert rankside.embed_documents(["x"]).shape == (1, stored.meta.dimensions)
        assert rankside.embed_queries(["x", "y"]).shape == (2, stored.meta.dimensions)


async def test_the_asynchronous_client_and_the_other_within_a_loop(
    addresses: dict[str, Any], stored: Stored
) -> None:
    async with AsyncRankside(**addresses) as rankside:
        assert rankside.engine.kind in EngineKind
        result = await rankside.search(stored.name, TEXT, SearchOptions(strategy="none"))
        with Rankside(**addresses) as inner:  # as in a notebook, whose loop runs already
            again = inner.search(stored.name, TEXT, SearchOptions(strategy="none"))
    assert result.body["hits"] == again.body["hits"]


def test_a_client_that_is_not_open(addresses: dict[str, Any], stored: Stored) -> None:
    closed = Rankside(**addresses)
    with pytest.raises(UsageError, match="with"):
        closed.search(stored.name, TEXT)
    for _ in range(2):
        with closed:
            closed.search(stored.name, TEXT, SearchOptions(strategy="none"))
    with pytest.raises(UsageError, match="with"):
        closed.search(stored.name, TEXT)


async def test_an_asynchronous_client_that_is_not_open(addresses: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="with"):
        await AsyncRankside(**addresses).search("i", TEXT)


def test_a_client_without_an_engine(sidecar_url: str) -> None:
    with pytest.raises(EngineUnavailable), Rankside(engine=NOBODY, sidecar=sidecar_url):
        pass
    with pytest.raises(SettingsError, match=r"engine\.url"):
        Rankside(engine="nonsense", sidecar=sidecar_url)
