"""`rankside eval` as it is typed, over a real node and a sidecar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from evaluation import session
from evaluation.collections import Collection, load_collection
from evaluation.engine import PREFIX
from plugin.models.encoder import Encoder
from plugin.ranking.errors import SettingsError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from rankside.cli.root import app
from tests.serving import serving
from tests.tiny import DOCUMENTS, write_collection

Eval = Callable[..., dict[str, Any]]

SLICE_QUERIES = 30
SLICE_DOCUMENTS = 250


@pytest.fixture(scope="module")
def sidecar_url(minilm: Encoder) -> Iterator[str]:
    with serving(create_app(SidecarOptions(), minilm)) as url:
        yield url


@pytest.fixture
def name(opensearch_url: str) -> Iterator[str]:
    """A collection's name; what an evaluation of it leaves on the node is removed."""
    made = f"test-{uuid4().hex[:8]}"
    yield made
    for row in httpx.get(f"{opensearch_url}/_cat/indices/{PREFIX}{made}-*?format=json").json():
        httpx.delete(f"{opensearch_url}/{row['index']}")


@pytest.fixture
def evaluated(opensearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Eval:
    """Runs the command on the node; the JSON on standard output."""
    monkeypatch.setenv("RANKSIDE_CLIENT__TIMEOUT", "60")

    def command(folder: Path, *words: str) -> dict[str, Any]:
        arguments = ["eval", str(folder), "--url", opensearch_url, "--json", "-", *words]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    return command


def test_the_json_says_what_was_ranked_by_which_signals_and_how_sure_the_gain_is(
    evaluated: Eval, name: str, sidecar_url: str, tmp_path: Path
) -> None:
    folder = write_collection(tmp_path / name)
    said = evaluated(
        folder, "--sidecar", sidecar_url, "--strategies", "query,e2rank", "--window", "5"
    )

    assert {"dataset": name, "k": 5, "queries": 3, "through": "engine"}.items() <= said.items()
    assert said["first_stage"]["engine"] == "opensearch"
    assert said["model"]["document_vectors"] == "sidecar"
    query, e2rank = said["results"]
    assert (query["strategy"], query["signals"]) == ("query", {"query": 1.0})
    assert (e2rank["strategy"], e2rank["statuses"]) == ("e2rank", {"reranked": 3})
    assert e2rank["signals"]
    for row in said["results"]:
        assert 0 < row["nDCG@10"] <= 1
        assert 0 < row["p_value_vs_none"] <= 1


def test_the_first_stage_alone_starts_no_sidecar_and_loads_no_model(
    evaluated: Eval, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("nothing is ranked")

    monkeypatch.setattr(session, "local_sidecar", refuse)
    monkeypatch.setattr(session, "load_encoder", refuse)
    said = evaluated(write_collection(tmp_path / name), "--strategies", "none")

    (none,) = said["results"]
    assert (none["strategy"], none["signals"], none["p_value_vs_none"]) == ("none", {}, None)
    assert none["nDCG@10"] > 0.5
    assert (said["through"], said["model"]) == ("engine", {})


def test_an_index_is_evaluated_by_two_files_and_told_as_a_page(
    opensearch_url: str, name: str, sidecar_url: str, tmp_path: Path
) -> None:
    folder = write_collection(tmp_path / name)
    where = ["--url", opensearch_url, "--sidecar", sidecar_url]
    index = f"{PREFIX}{name}-live"
    done = CliRunner().invoke(
        app, ["ingest", str(folder / "corpus.jsonl"), "--index", index, *where]
    )
    assert done.exit_code == 0, done.output
    httpx.post(f"{opensearch_url}/{index}/_refresh")
    qrels = tmp_path / "qrels.trec"
    qrels.write_text("q1 0 bread 2\nq1 0 rolls 1\nq2 0 keel 2\n", "utf-8")
    page = tmp_path / "report.html"
    typed = ["eval", "--index", index, "--queries", str(folder / "queries.jsonl"), *where]
    typed += ["--qrels", str(qrels), "--strategies", "none,query", "--window", "2,5"]
    done = CliRunner().invoke(app, [*typed, "--json", "-", "--html", str(page)])
    assert done.exit_code == 0, done.output

    said = json.loads(done.stdout)
    assert {"dataset": index, "split": "", "queries": 2, "k": 5}.items() <= said.items()
    assert said["documents"] == len(DOCUMENTS)
    assert [row["strategy"] for row in said["results"]] == [
        "none",
        "query:window=2",
        "query:window=5",
    ]
    assert said["results"][2]["statuses"] == {"reranked": 2}
    text = page.read_text("utf-8")
    for heading in ("Query by query", "What it costs", "The gain by window"):
        assert heading in text


def test_what_is_searched_is_told_in_one_way(tmp_path: Path) -> None:
    queries = ["--queries", "q", "--qrels", "r"]
    for words, message in (
        ([], "give DIR, or all of --index"),
        (["--index", "articles", "--queries", "q"], "give DIR, or all of --index"),
        ([str(tmp_path), "--index", "articles", *queries], "leave out --index"),
        ([str(write_collection(tmp_path / "tiny")), "--text-fields", "a"], "about your own index"),
    ):
        done = CliRunner().invoke(app, ["eval", *words])
        assert isinstance(done.exception, SettingsError)
        assert message in str(done.exception)


def test_scifact_goes_end_to_end(
    evaluated: Eval, name: str, sidecar_url: str, shared_data: Path, tmp_path: Path
) -> None:
    folder = _slice(load_collection(shared_data / "scifact"), tmp_path / name)
    said = evaluated(folder, "--sidecar", sidecar_url, "--strategies", "none,e2rank")

    none, e2rank = said["results"]
    assert said["queries"] == SLICE_QUERIES
    assert e2rank["statuses"] == {"reranked": SLICE_QUERIES}
    assert 0.7 < none["nDCG@10"] <= e2rank["nDCG@10"] + 0.02  # the default signals do no harm
    assert e2rank["latency_ms"].keys() >= {"window", "sidecar", "rescore", "total"}


def _slice(whole: Collection, folder: Path) -> Path:
    """Some judged queries in BEIR form, and their documents among others; the folder."""
    qrels = dict(list(whole.qrels.items())[:SLICE_QUERIES])
    judged = {id_ for grades in qrels.values() for id_ in grades}
    kept = dict.fromkeys([*sorted(judged), *whole.documents][:SLICE_DOCUMENTS])
    (folder / "qrels").mkdir(parents=True)
    _write(folder / "corpus.jsonl", ({"_id": i, **whole.documents[i].source} for i in kept))
    _write(folder / "queries.jsonl", ({"_id": i, "text": whole.queries[i]} for i in qrels))
    lines = [f"{q}\t{id_}\t{grade}" for q, grades in qrels.items() for id_, grade in grades.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    return folder


def _write(path: Path, rows: Iterator[Mapping[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
