"""`rankside demo` on a real node, over a corpus cut to what a few queries are judged on."""

from __future__ import annotations

import inspect
import json
import pydoc
import shlex
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy import local
from rankside.cli.root import app
from rankside.demo import background, corpus
from rankside.demo.corpus import Document
from rankside.demo.judgments import judged_queries
from rankside.demo.run import BM25, COSINE, INDEX, RANKSIDE

QUERIES = judged_queries()[:10]

Run = Callable[..., Result]


def cut_corpus() -> Iterator[Document]:
    for id_ in sorted({id_ for query in QUERIES for id_ in query.grades}):
        text = inspect.getdoc(pydoc.locate(id_))
        if text:
            yield Document(id_, id_, text)


@pytest.fixture
def run(
    opensearch_url: str, sidecar_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Run]:
    """Runs a command where the tests' node and sidecar are those of this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modules that will be gone some day
        documents = list(cut_corpus())
    monkeypatch.setattr(corpus, "standard_library_documents", lambda: iter(documents))
    monkeypatch.setattr(corpus, "judged_queries", lambda: QUERIES)
    node = SimpleNamespace(url=opensearch_url)
    monkeypatch.setattr(local, "up", lambda *_, **__: node)
    monkeypatch.setattr(local, "status", lambda _engine: node)
    monkeypatch.setattr(background, "start", lambda _: SimpleNamespace(url=sidecar_url))
    monkeypatch.setattr(sys, "argv", [".venv/bin/rankside", "demo"])
    monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # the user of the engine has to enter it
        monkeypatch.setenv("RANKSIDE_HOME", home)
        yield lambda *words: CliRunner().invoke(app, words)
    httpx.delete(f"{opensearch_url}/{INDEX}")


def test_the_json_holds_the_figures_of_all_three_systems(
    run: Run, opensearch_url: str, sidecar_url: str
) -> None:
    done = run("demo", "--json", "--url", opensearch_url, "--sidecar", sidecar_url)

    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["queries"] == len(QUERIES)
    assert said["documents"] == httpx.get(f"{opensearch_url}/{INDEX}/_count").json()["count"]
    quality = {one["system"]: one for one in said["quality"]}
    assert list(quality) == [BM25, COSINE, RANKSIDE]
    assert all(0 < one["ndcg"] <= 1 for one in quality.values())
    assert quality[COSINE]["ndcg"] != quality[BM25]["ndcg"], "nothing was reranked"
    assert quality[BM25]["p_value"] is None
    assert all(0 < quality[name]["p_value"] <= 1 for name in (COSINE, RANKSIDE))
    latency = {one["system"]: one for one in said["latency"]}
    assert latency[BM25]["shares"]["sidecar"] == 0 < latency[RANKSIDE]["shares"]["sidecar"]
    assert len(said["examples"]) == 3
    assert set(said["seconds"]) == {"node", "sidecar", "corpus", "ingest", "searches"}


def test_the_search_that_it_prints_is_reranked(run: Run) -> None:
    done = run("demo")
    assert done.exit_code == 0, done.output
    line = next(line for line in done.stdout.splitlines() if line.startswith("Try: "))

    tried = run(*shlex.split(line)[2:], "--json")

    assert tried.exit_code == 0, tried.output
    assert json.loads(tried.stdout)["status"] == "reranked"
